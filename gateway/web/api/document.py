"""``/openapi.json``: the API as OpenAPI 3.1, made from the operations and their models, so that it cannot lie."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from gateway.web.api.models import LIKE
from gateway.web.api.operations import CSRF, MARKED, PREFIX, SAFE
from gateway.web.api.problems import KIND, Problem
from gateway.web.session import COOKIE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from http import HTTPStatus
    from typing import Literal

    from pydantic import BaseModel

    from gateway.web.api.operations import Operation

    Mode = Literal["validation", "serialization"]
    Key = tuple[type[BaseModel], Mode]
    References = Mapping[Any, dict[str, Any]]

_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{model}"
_PATHS = {"number": "^[0-9]{17}$", "entry": "^[A-Za-z0-9_-]{1,64}$", "like": LIKE}
"""What the parts of a path look like."""
VISIBLE = r"^[!-~]{1,200}$"


def document(operations: Sequence[Operation], city: str) -> dict[str, Any]:
    """Return the document."""
    keys: list[Key] = [(Problem, "serialization")]
    for each in operations:
        keys += [(model, "serialization") for model in each.answers.values() if model is not None]
        keys += [(model, "validation") for model in (each.body, each.query) if model is not None]
    references, definitions = models_json_schema(list(dict.fromkeys(keys)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{city}12345", "version": version("jiesu")},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(each: Operation, references: References) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "parameters": [*_in_path(each), *_in_query(each, references), *_in_headers(each)],
        "responses": _answers(each, references),
        "security": [{"bearer": []}, {"cookie": []}] if each.session else [],
    }
    if each.body is not None:
        content = {"application/json": {"schema": references[each.body, "validation"]}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _in_path(each: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": _PATHS[name]}}
        for name in _PARAMETER.findall(each.path)
    ]


def _in_query(each: Operation, references: References) -> list[dict[str, Any]]:
    if each.query is None:
        return []
    schema = each.query.model_json_schema(ref_template=_REF)
    asked = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in asked, "schema": part}
        for name, part in schema["properties"].items()
    ]


def _in_headers(each: Operation) -> list[dict[str, Any]]:
    headers = []
    if each.marked:
        schema = {"type": "string", "pattern": VISIBLE}
        headers.append({"name": MARKED, "in": "header", "required": False, "schema": schema})
    if each.session and each.method not in SAFE:
        told = "Only where the cookie proves the session"
        headers.append(
            {
                "name": CSRF,
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": told,
            }
        )
    return headers


def _answers(each: Operation, references: References) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, model in each.answers.items():
        answers[str(int(status))] = _answer(status, "application/json", model, references)
    for status in each.statuses:
        answers[str(int(status))] = _answer(status, KIND, Problem, references)
    return answers


def _answer(
    status: HTTPStatus, kind: str, model: type[BaseModel] | None, references: References
) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": status.phrase}
    if model is not None:
        answer["content"] = {kind: {"schema": references[model, "serialization"]}}
    return answer
