"""What bad input gets: every row in both formats, with the status and the codes that the protocol has for it."""

import asyncio

import pytest
from aiohttp import ClientSession
from yarl import URL

from gateway.app import listening
from tests.kit.gateway import embedded, running, settings
from tests.kit.open311 import CITY, OTHER, WORDS, Client, report

LONG = "长" * 4001
FILE = {"Content-Type": "multipart/form-data; boundary=x"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

GETS = [
    ("no such path", "nothing", {}, 404, [404]),
    ("the root", "", {}, 404, [404]),
    ("a path too deep", "services/D05/more", {}, 404, [404]),
    ("no such service", "services/Z99", {}, 404, [404]),
    ("no such request", "requests/37092611240009999", {}, 404, [404]),
    ("a request that is no number", "requests/abc", {}, 404, [404]),
    ("no such token", "tokens/37092611240009999", {}, 404, [404]),
    ("another jurisdiction", "services", {"jurisdiction_id": "jinan.gov.cn"}, 404, [404]),
    ("a code that is none", "requests", {"service_code": "D05,Z99"}, 400, [400]),
    ("a status that is none", "requests", {"status": "open,lost"}, 400, [400]),
    ("a date without zone", "requests", {"start_date": "2026-11-24T10:00:00"}, 400, [400]),
    ("a date that is none", "requests", {"end_date": "2026-13-24T10:00:00Z"}, 400, [400]),
    ("a date before all time", "requests", {"end_date": "0001-01-01T00:00:00Z"}, 400, [400]),
    ("a date after all time", "requests", {"start_date": "9999-12-31T00:00:00Z"}, 400, [400]),
    ("a time turned round", "requests", {"start_date": "2026-11-24T00:00:00Z", "end_date": "2026-11-23T00:00:00Z"}, 400, [400]),
    ("more than 90 days", "requests", {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-11-23T00:00:00Z"}, 400, [400]),
    ("page nought", "requests", {"page": "0"}, 400, [400]),
    ("a page that is no number", "requests", {"page": "²"}, 400, [400]),
    ("too large a page", "requests", {"page_size": "1001"}, 400, [400]),
    ("a latitude alone", "requests", {"lat": "36.1"}, 400, [400]),
    ("a latitude that is none", "requests", {"lat": "nan", "long": "117"}, 400, [400]),
    ("a longitude past the world", "requests", {"lat": "36", "long": "181"}, 400, [400]),
    ("too wide a circle", "requests", {"lat": "36", "long": "117", "radius": "99999"}, 400, [400]),
    ("too many numbers", "requests", {"service_request_id": ",".join(map(str, range(101)))}, 400, [400]),
    ("three faults at once", "requests", {"status": "x", "page": "x", "start_date": "x"}, 400, [400, 400, 400]),
    ("bad updates", "servicerequestupdates", {"start_date": "x", "page_size": "x"}, 400, [400, 400]),
]  # fmt: skip

POSTS = [
    ("no key", {"api_key": None}, 403, [403]),
    ("an empty key", {"api_key": ""}, 403, [403]),
    ("a wrong key", {"api_key": "city-app-0123456780"}, 403, [403]),
    ("a key that is not ASCII", {"api_key": "钥匙"}, 403, [403]),
    ("no service", {"service_code": None}, 400, [400]),
    ("no such service", {"service_code": "Z99"}, 404, [404]),
    ("another jurisdiction", {"jurisdiction_id": "jinan.gov.cn"}, 404, [404]),
    ("no place", {"lat": None, "long": None, "address_string": None}, 400, [400]),
    ("half a place", {"lat": None}, 400, [400]),
    ("a place that is none", {"lat": "north"}, 400, [400]),
    ("no words", {"description": None}, 400, [400]),
    ("too few words", {"description": "井盖丢了"}, 400, [400]),
    ("too many words", {"description": LONG}, 400, [400]),
    ("a number that is none", {"phone": "12345"}, 400, [400]),
    ("an address that is none", {"email": "nobody"}, 400, [400]),
    ("a photo from nowhere", {"media_url": "file:///etc/passwd"}, 400, [400]),
    ("a photo behind a password", {"media_url": "https://a:b@example.cn/a.jpg"}, 400, [400]),
    ("an attribute that is none", {"attribute[COLOUR]": "red"}, 400, [400]),
    ("a value that is none", {"attribute[KIND]": "77"}, 400, [400]),
    ("too long a value", {"attribute[WHEN]": "很" * 51}, 400, [400]),
    ("every field wrong", {"lat": "x", "phone": "x", "email": "x", "media_url": "x", "description": "x"}, 400, [400] * 5),
]  # fmt: skip


@pytest.mark.parametrize("fmt", ["xml", "json"])
@pytest.mark.parametrize(
    ("path", "query", "status", "codes"), [row[1:] for row in GETS], ids=[row[0] for row in GETS]
)
async def test_a_bad_question_is_told_what_is_wrong_with_it(client, fmt, path, query, status, codes):
    reply = await client.get(f"{path}.{fmt}", **query)
    assert (reply.status, reply.faults) == (status, codes)
    assert reply.kind == {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}[fmt]
    assert all(fault["description"] for fault in reply.data)


@pytest.mark.parametrize("fmt", ["xml", "json"])
@pytest.mark.parametrize(
    ("change", "status", "codes"), [row[1:] for row in POSTS], ids=[row[0] for row in POSTS]
)
async def test_a_bad_report_opens_nothing_and_is_told_why(client, fmt, change, status, codes):
    reply = await client.post(f"requests.{fmt}", **report(**change))
    assert (reply.status, reply.faults) == (status, codes)
    count = await client.gateway.books.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM cases").scalar()
    )
    assert count == 0


@pytest.mark.parametrize("fmt", ["xml", "json"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "services"),
        ("DELETE", "requests"),
        ("PUT", "requests/37092611240009999"),
        ("PATCH", "servicerequestupdates"),
        ("POST", "discovery"),
        ("POST", "tokens/1"),
        ("OPTIONS", "requests"),
    ],
)
async def test_a_method_that_is_not_meant_is_400(client, fmt, method, path):
    reply = await client.ask(method, f"{path}.{fmt}")
    assert (reply.status, reply.faults) == (400, [405])


@pytest.mark.parametrize("fmt", ["xml", "json"])
@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Type": "application/json"}, b"{}", 400),
        ({"Content-Type": "multipart/form-data"}, b"--x--", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"no boundary at all", 400),
        (
            FILE,
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\nx\r\n--x--\r\n',
            400,
        ),
        (FILE, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\xfe\r\n--x--\r\n', 400),
        (
            FILE,
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 200_000 + b"\r\n--x--\r\n",
            413,
        ),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=gbk"}, b"a=b", 400),
        (FORM, b"description=\xff\xfe", 400),
        (FORM, b"description=%FF%FE", 400),
        (FORM, b"&".join([b"a=b"] * 300), 400),
        (FORM, b"description=" + b"x" * 200_000, 413),
    ],
    ids=[
        "JSON",
        "no boundary",
        "no parts",
        "a file before the key",
        "bytes in a part",
        "too large a part",
        "GBK",
        "raw bytes",
        "escaped bytes",
        "too many fields",
        "too large",
    ],
)
async def test_a_body_that_cannot_be_read_is_400(client, fmt, headers, body, code):
    reply = await client.ask("POST", f"requests.{fmt}", data=body, headers=headers)
    assert (reply.status, reply.faults) == (400, [code])


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("services.txt", "", "text/xml"),
        ("services", "", "text/xml"),
        ("services.yaml", "application/json", "application/json"),
        ("requests/1.html", "text/html", "text/xml"),
        ("", "", "text/xml"),
    ],
)
async def test_a_format_that_is_not_known_is_404(client, path, accept, kind):
    reply = await client.ask("GET", path, headers={"Accept": accept} if accept else None)
    assert (reply.status, reply.faults) == (404, [404])
    assert reply.kind.startswith(kind)


async def test_a_query_that_is_not_utf8_is_400(client):
    url = URL(f"{client.base}/open311/v2/requests.json?status=%FF", encoded=True)
    async with client.http.get(url) as answer:
        assert (answer.status, (await answer.json())[0]["code"]) == (400, 400)


async def test_a_partner_beyond_its_pace_is_told_to_wait(client):
    for _ in range(5):
        await client.post(**report(api_key=OTHER, description="x"))
    reply = await client.post(**report(api_key=OTHER))
    assert (reply.status, reply.faults, reply.headers["Retry-After"]) == (400, [429], "60")
    await client.reports()
    client.clock.wait(minutes=1)
    await client.reports(api_key=OTHER)


async def test_a_partner_beyond_its_days_measure_is_told_so_until_tomorrow(client):
    for number in range(2):
        await client.reports(api_key=OTHER, account_id=str(number))
    assert (await client.post(**report(api_key=OTHER, account_id="3"))).faults == [429]
    client.clock.wait(hours=15)
    await client.reports(api_key=OTHER, account_id="3")


@pytest.mark.parametrize(
    ("label", "changes", "codes"),
    [
        ("no key", {"api_key": None}, [403]),
        ("another partner's case", {"api_key": OTHER}, [404]),
        ("no such case", {"service_request_id": "37092611240009999"}, [404]),
        ("nothing said", {"description": None, "service_request_id": None}, [400, 400]),
        ("a photo from nowhere", {"media_url": "ftp://x"}, [400]),
    ],
)
async def test_an_update_that_cannot_be_taken(client, label, changes, codes):
    form = {"api_key": CITY, "service_request_id": await client.reports(), "description": WORDS} | changes
    form = {name: value for name, value in form.items() if value is not None}
    for fmt in ("xml", "json"):
        assert (await client.post(f"servicerequestupdates.{fmt}", **form)).faults == codes


async def test_an_update_of_a_case_of_the_bot_is_404(client, person):
    form = {"api_key": CITY, "service_request_id": await person.reports(), "description": WORDS}
    assert (await client.post("servicerequestupdates.json", **form)).faults == [404]


async def test_ten_partners_guesses_are_all_refused(client):
    replies = await asyncio.gather(*(client.post(**report(api_key=f"{CITY[:-1]}{n}x")) for n in range(10)))
    assert {reply.status for reply in replies} == {403}


async def test_an_address_that_asks_too_fast_is_told_to_wait(database, tmp_path, clock):
    slow = settings(database, tmp_path, portal={"address_per_second": 0.01, "address_burst": 3})
    async with (
        running(slow, clock=clock) as gateway,
        listening(gateway.app, "127.0.0.1", 0) as port,
        ClientSession() as http,
    ):
        client = Client(http, f"http://127.0.0.1:{port}", gateway, clock)
        replies = [await client.get("services.xml") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 400]
    assert replies[-1].faults == [429]


@pytest.fixture
def database(tmp_path):
    """What is refused never comes to a store; one of them is enough."""
    return embedded(tmp_path)
