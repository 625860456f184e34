"""The document that the API is described by, and a fuzzer that holds the one against the other."""

import asyncio
import os
import sys

import pytest

from tests.kit.gateway import embedded

PATIENCE = 900
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,unsupported_method,ignored_auth,missing_required_header"
)
"""All but those that ask every well-typed value to be taken: that a telephone is one, a schema does not say."""


async def test_the_document_names_every_operation_with_its_problems(app):
    async with app.http.get(f"{app.base}/openapi.json") as answer:
        told = await answer.json()
    assert told["openapi"] == "3.1.0"
    assert len(told["paths"]) == 29
    post = told["paths"]["/cases"]["post"]
    assert set(post["responses"]) == {
        "200",
        "201",
        "400",
        "401",
        "403",
        "409",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    }
    for path in told["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                assert status < "400" or list(answer["content"]) == ["application/problem+json"]


async def test_a_fuzzer_finds_nothing_undocumented(app, tmp_path):
    number = await app.reports()
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'[parameters]\n"path.number" = "{number}"\n')
    fuzzer = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(config),
            "run",
            f"{app.base}/openapi.json",
        ),
        *(
            "-H",
            f"Authorization: Bearer {app.token}",
            "--checks",
            CHECKS,
            "--phases",
            "examples,coverage,fuzzing",
        ),
        *(
            "--max-examples",
            os.environ.get("JIESU_TEST_EXAMPLES", "8"),
            "--seed",
            "12345",
            "--no-color",
            "--continue-on-failure",
        ),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(fuzzer.communicate(), PATIENCE)
    finally:
        if fuzzer.returncode is None:
            fuzzer.kill()
            await fuzzer.wait()
    assert fuzzer.returncode == 0, said.decode()[-20_000:]
    assert b"Tested: 34" in said


@pytest.fixture
def database(request, tmp_path):
    """One store is enough to be asked by; a long run (JIESU_TEST_EXAMPLES) asks both."""
    if "JIESU_TEST_EXAMPLES" in os.environ:
        return request.getfixturevalue("postgres_url")
    return embedded(tmp_path)
