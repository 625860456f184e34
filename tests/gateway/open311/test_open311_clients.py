"""Clients that others wrote, and what the protocol's published schemas say of every answer.

``three`` is Code for America's client, written for Python 2: ``itertools.ifilter`` is put back for it, and it is spoken
to in JSON, because its reading of XML indexes a view of keys. ``georeport`` is newer and runs as it is.
"""

import asyncio
import importlib
import io
import itertools

import georeport
import pytest

from normalizer.codes import CATEGORY_LABELS
from tests.kit.media import photo
from tests.kit.open311 import CITY, WORDS

STRING, NUMBER, TRUTH = str, (int, float), bool
SERVICE = {
    "service_code": STRING,
    "service_name": STRING,
    "description": STRING,
    "metadata": TRUTH,
    "type": STRING,
    "keywords": STRING,
    "group": STRING,
}
ATTRIBUTE = {
    "variable": TRUTH,
    "code": STRING,
    "datatype": STRING,
    "required": TRUTH,
    "datatype_description": STRING,
    "order": int,
    "description": STRING,
}
REQUEST = {
    "service_request_id": STRING,
    "status": STRING,
    "status_notes": STRING,
    "service_name": STRING,
    "service_code": STRING,
    "description": STRING,
    "agency_responsible": STRING,
    "service_notice": STRING,
    "requested_datetime": STRING,
    "updated_datetime": STRING,
    "expected_datetime": STRING,
    "address": STRING,
    "address_id": STRING,
    "zipcode": STRING,
    "lat": NUMBER,
    "long": NUMBER,
    "media_url": STRING,
}
DATATYPES = {"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"}


@pytest.fixture
def three(monkeypatch, client):
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    return importlib.import_module("three").Three(f"{client.base}/open311/v2/", api_key=CITY, format="json")


async def test_codes_for_americas_client_lists_posts_and_follows(three, client):
    services = await asyncio.to_thread(three.services)
    assert ("D05", "道路与排水") in [(each["service_code"], each["service_name"]) for each in services]
    asked = await asyncio.to_thread(three.services, "D05")
    assert asked["service_code"] == "D05"
    media = io.BytesIO(photo())
    media.name = "hole.jpg"
    post = {
        "media": media,
        "lat": "36.194",
        "long": "117.088",
        "address": "东岳大街88号",
        "name": "San Zhang",
        "description": WORDS,
    }
    (made,) = await asyncio.to_thread(lambda: three.post("D05", **post))
    number = made["service_request_id"]
    assert await asyncio.to_thread(three.token, number) == [{"service_request_id": number, "token": number}]
    (shown,) = await asyncio.to_thread(three.request, number)
    assert (shown["status"], shown["description"]) == ("open", WORDS)
    assert [each.name for each in await client.gateway.media.uploads.of(number)] == ["hole.jpg"]
    listed = await asyncio.to_thread(lambda: three.requests("D05", between=["11-01-2026", "11-30-2026"]))
    assert listed == [shown]
    assert (await asyncio.to_thread(three.discovery))["endpoints"][0]["type"] == "test"


async def test_codes_for_americas_client_is_told_what_is_wrong(three):
    faults = await asyncio.to_thread(lambda: three.post("D05", description=WORDS, api_key="wrong"))
    assert [fault["code"] for fault in faults] == [403]


@pytest.mark.parametrize("fmt", ["json", "xml"])
async def test_a_newer_client_reads_in_both_formats(client, fmt):
    numbers = {await client.reports(), await client.reports(account_id="u2")}
    reader = georeport.GeoReport(f"{client.base}/open311/v2", output_format=fmt)
    services = await asyncio.to_thread(reader.get_service_list)
    assert len(services) == len(CATEGORY_LABELS)
    definition = await asyncio.to_thread(reader.get_service_definition, "D05")
    assert definition["service_code"] == "D05"
    listed = await asyncio.to_thread(lambda: reader.get_service_requests(status="open", service_code="D05"))
    assert {each["service_request_id"] for each in listed} == numbers
    one = await asyncio.to_thread(reader.get_service_request, listed[0]["service_request_id"])
    assert one == listed[0]


async def test_every_answer_has_the_types_of_the_published_schemas(client):
    """georeport-v2 schemas of open311/schema-validation: ids and codes are text, degrees numbers, truths booleans."""
    number = await client.reports()
    for service in (await client.get("services.json")).data:
        fits(service, SERVICE)
        assert service["type"] in {"realtime", "batch", "blackbox"}
    for attribute in (await client.get("services/D05.json")).data["attributes"]:
        values = attribute.pop("values", [])
        fits(attribute, ATTRIBUTE)
        assert attribute["datatype"] in DATATYPES
        assert bool(values) is attribute["datatype"].endswith("list")
        for value in values:
            fits(value, {"key": STRING, "name": STRING})
    for request in (await client.get("requests.json")).data:
        fits(request, REQUEST)
        assert request["status"] in {"open", "closed"}
    (token,) = (await client.get(f"tokens/{number}.json")).data
    fits(token, {"service_request_id": STRING, "token": STRING})
    (fault,) = (await client.get("services/none.json")).data
    fits(fault, {"code": int, "description": STRING})


def fits(row, types):
    assert row.keys() == types.keys()
    for name, value in row.items():
        assert value is None or (
            isinstance(value, types[name]) and (types[name] is bool or value is not True)
        ), name
