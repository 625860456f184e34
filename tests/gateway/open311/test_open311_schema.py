"""Our JSON held against what the protocol's published schemas ask (open311/schema-validation, schema/georeport-v2).

The tables below say the same in our own words: which fields must be there, of which type, and what may be null.
"""

from typing import Any

import jsonschema_rs
import pytest

from normalizer.case import Command, Verb
from tests.kit.cases import AGENT, DISPATCH, REPLY, UNIT

TEXT, MAYBE, FLAG = {"type": "string"}, {"type": ["string", "null"]}, {"type": "boolean"}
INSTANT = {"type": "string", "format": "date-time"}
MAYBE_INSTANT = {"anyOf": [INSTANT, {"type": "null"}]}
DEGREES = {"type": ["number", "null"]}


def thing(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Return the schema of an object; fields that neither table names are refused, which the published ones do not."""
    known = {**required, **optional}
    return {"type": "object", "required": list(required), "properties": known, "additionalProperties": False}


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": item}


SERVICE = thing(
    {
        "service_code": TEXT,
        "service_name": TEXT,
        "metadata": FLAG,
        "type": {"enum": ["realtime", "batch", "blackbox"]},
    },
    description=MAYBE,
    keywords=MAYBE,
    group=MAYBE,
)
ATTRIBUTE = thing(
    {
        "variable": FLAG,
        "code": TEXT,
        "datatype": {"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
        "required": FLAG,
    },
    datatype_description=MAYBE,
    order={"type": ["integer", "null"]},
    description=MAYBE,
    values={"type": "array", "items": thing({"key": TEXT, "name": TEXT})},
)
DEFINITION = thing({"service_code": TEXT, "attributes": {"type": "array", "items": ATTRIBUTE}})
REQUEST = thing(
    {
        "service_request_id": TEXT,
        "status": {"enum": ["open", "closed"]},
        "service_code": TEXT,
        "requested_datetime": INSTANT,
    },
    status_notes=MAYBE,
    service_name=MAYBE,
    description={"type": ["string", "null"], "maxLength": 4000},
    agency_responsible=MAYBE,
    service_notice=MAYBE,
    updated_datetime=MAYBE_INSTANT,
    expected_datetime=MAYBE_INSTANT,
    address=MAYBE,
    address_id=MAYBE,
    zipcode=MAYBE,
    lat=DEGREES,
    long=DEGREES,
    media_url={"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
)


def held(schema: dict[str, Any], data: Any) -> list[str]:
    """Return what is wrong with an answer."""
    check = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in check.iter_errors(data)
    ]


async def test_the_list_of_services_is_as_the_published_schema_asks(client):
    assert held(many(SERVICE), (await client.get("services.json")).data) == []


async def test_every_service_definition_is_as_the_published_schema_asks(client):
    for service in (await client.get("services.json")).data:
        if service["metadata"]:
            answer = await client.get(f"services/{service['service_code']}.json")
            assert held(DEFINITION, answer.data) == []


@pytest.mark.parametrize(
    "form",
    [
        {"address_string": "东岳大街88号"},
        {"lat": "36.19", "long": "117.12"},
        {"lat": "36.19", "long": "117.12", "description": "井" * 3900, "phone": "13812345678"},
    ],
)
async def test_every_request_is_as_the_published_schema_asks(client, form):
    number = await client.reports(**form)
    assert held(many(REQUEST), (await client.get(f"requests/{number}.json")).data) == []
    assert held(many(REQUEST), (await client.get("requests.json")).data) == []


async def test_a_request_keeps_to_the_schema_until_it_is_closed(client, gateway):
    number = await client.reports()
    accept = Command(Verb.ACCEPT, AGENT)
    for command in (accept, DISPATCH, Command(Verb.SIGN, UNIT), REPLY, Command(Verb.FINISH, AGENT)):
        await gateway.office.act(number, command)
        (shown,) = (await client.get(f"requests/{number}.json")).data
        assert held(REQUEST, shown) == []
    assert shown["status"] == "closed"


def test_the_check_finds_what_is_wrong():
    assert held(SERVICE, {"service_code": 1, "service_name": "x", "metadata": "true", "type": "realtime"})
    assert held(REQUEST, {"service_request_id": "1", "status": "open", "service_code": "1"})
