"""What stands before every page: whose form it is, how often, from where, and what no page may do."""

import asyncio

import pytest

from tests.kit.browser import WORDS, browsing, portal_settings
from tests.kit.gateway import embedded, running

PAGES = (
    "/",
    "/scope",
    "/privacy",
    "/report/what",
    "/cases",
    "/cases/37092611240001233",
    "/login",
    "/chat",
    "/me",
    "/followed",
    "/knowledge",
    "/up/x",
    "/nowhere",
    "/nowhere/at/all",
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_forbids_what_it_does_not_need(browsers, path):
    page = await browsers().get(path)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "有危险请马上打电话" in page.text


async def test_what_is_no_page_is_guarded_too(browsers):
    browser = browsers()
    for path in ("/static/portal.css", "/health/live", "/static/none.css"):
        headers = (await browser.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Set-Cookie" not in headers


async def test_whatever_the_verb_the_answer_is_a_page(browsers):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        page = await browsers().raw(method, "/cases")
        assert (page.status, "没有这个页面" in page.text) == (404, True)


@pytest.mark.parametrize(
    ("why", "token", "headers", "status"),
    [
        ("the page's own", None, {}, 303),
        ("from the same site", None, {"Sec-Fetch-Site": "same-origin"}, 303),
        ("missing", "", {}, 403),
        ("wrong", "0" * 32, {}, 403),
        ("no text a token has", "令牌\x00😀", {}, 403),
        ("right, but sent by another site", None, {"Sec-Fetch-Site": "cross-site"}, 403),
        ("right, but sent by a neighbour", None, {"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_a_form_is_taken_from_our_own_pages_alone(browsers, why, token, headers, status):
    page = await browsers().post("/report/what", {"text": WORDS}, csrf=token, headers=headers, follow=False)
    assert page.status == status
    assert status != 403 or "页面已过期" in page.text


async def test_another_session_s_token_is_no_token(browsers):
    mine, other = browsers(), browsers()
    page = await mine.post("/report/what", {"text": WORDS}, csrf=await other.csrf())
    assert page.status == 403


async def test_who_fills_the_hidden_field_is_a_machine(browsers, portal):
    browser = browsers()
    page = await browser.post("/report/what", {"text": WORDS, "homepage": "http://spam.example"})
    assert (page.status, "没有提交成功" in page.text) == (400, True)
    assert "没写完" not in (await browser.get("/report")).text


@pytest.mark.parametrize(
    ("why", "body", "headers", "status"),
    [
        ("JSON", b'{"text": "x"}', {"Content-Type": "application/json"}, 400),
        ("plain text", b"text=x", {"Content-Type": "text/plain"}, 400),
        ("no type", b"text=x", {"Content-Type": ""}, 400),
        ("bytes that are no text", b"text=\xff\xfe", FORM, 400),
        ("escapes that are no text", b"text=%ff%fe", FORM, 400),
        ("a thousand fields", b"&".join(b"f%d=1" % n for n in range(1000)), FORM, 400),
        ("an unknown charset", b"text=x", {"Content-Type": "multipart/form-data; charset=klingon"}, 400),
        ("parts without a boundary", b"text=x", {"Content-Type": "multipart/form-data"}, 400),
        (
            "parts that end in the middle",
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx',
            {"Content-Type": "multipart/form-data; boundary=b"},
            400,
        ),
        (
            "parts that are no text",
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xfe\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b"},
            400,
        ),
        ("too much", b"text=" + b"a" * 300_000, FORM, 413),
    ],
)
async def test_what_is_no_form_is_told_so(browsers, why, body, headers, status):
    browser = browsers()
    await browser.get("/")
    page = await browser.raw("POST", "/report/what", data=body, headers=headers)
    assert (page.status, "回首页" in page.text) == (status, True)


async def test_too_much_in_pieces_of_unknown_number_is_too_much(browsers):
    async def pieces():
        for _ in range(40):
            yield b"a" * 10_000

    browser = browsers()
    page = await browser.raw("POST", "/report/what", data=pieces(), headers=FORM)
    assert page.status == 413


async def test_one_session_may_not_go_on_for_ever(limited):
    browser, other = limited(), limited()
    await browser.get("/")
    statuses = [(await browser.get("/scope")).status for _ in range(12)]
    assert statuses[:9] == [200] * 9
    assert statuses[-1] == 429
    assert (await other.get("/")).status == 200


async def test_one_address_may_not_begin_sessions_for_ever(limited):
    statuses = [(await limited().get("/")).status for _ in range(25)]
    assert (statuses[0], statuses[-1]) == (200, 429)


@pytest.mark.parametrize(
    ("why", "lines", "counted_as_one"),
    [
        ("the proxy tells them apart", lambda n: [f"198.51.100.{n}"], False),
        (
            "what the citizen claims stands before the proxy's word",
            lambda n: [f"203.0.113.{n}, 198.51.100.1"],
            True,
        ),
        ("the proxy's word stands in a line of its own", lambda n: [f"203.0.113.{n}", "198.51.100.1"], True),
        ("with a port", lambda n: [f"198.51.100.1:{4000 + n}"], True),
        ("one network of IPv6", lambda n: [f"2001:db8::{n:x}"], True),
        ("networks of IPv6", lambda n: [f"2001:db8:{n:x}::1"], False),
        ("IPv4 in IPv6", lambda n: ["::ffff:198.51.100.1" if n % 2 else "198.51.100.1"], True),
    ],
)
async def test_behind_a_proxy_of_ours_it_is_the_citizen_s_address_that_counts(
    limited, why, lines, counted_as_one
):
    from multidict import CIMultiDict  # noqa: PLC0415

    browser, statuses = limited, []
    for n in range(25):
        headers = CIMultiDict(("X-Forwarded-For", line) for line in lines(n + 1))
        statuses.append((await browser().get("/", headers=headers)).status)
    assert (statuses[-1] == 429) is counted_as_one


async def test_who_is_no_proxy_of_ours_cannot_say_where_he_comes_from(tmp_path, clock):
    made = portal_settings(
        embedded(tmp_path, "j"), tmp_path, portal={"address_burst": 20, "address_per_second": 0.001}
    )
    async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
        statuses = [
            (await browsers().get("/", headers={"X-Forwarded-For": f"198.51.100.{n}"})).status
            for n in range(25)
        ]
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/report/what?x=1", "/report/what?x=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("\\/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
        ("evil.example", "/"),
    ],
)
async def test_changing_the_view_leads_to_no_other_site(browsers, back, where):
    page = await browsers().post("/view", {"lang": "en", "back": back}, follow=False)
    assert (page.status, page.headers["Location"]) == (303, where)
    assert "Set-Cookie" in page.headers
    assert "x=1" not in page.headers["Set-Cookie"]


async def test_two_things_of_one_session_happen_one_after_the_other(browsers):
    browser = browsers()
    token = await browser.csrf()
    await browser.post("/report/what", {"text": WORDS}, csrf=token)
    pages = await asyncio.gather(
        browser.post("/report/where", {"place": "东岳大街88号"}, csrf=token),
        browser.post("/report/when", {"demand": "尽快修好"}, csrf=token),
        browser.post("/report/contact", {"phone": "13812345678"}, csrf=token),
    )
    assert {page.status for page in pages} == {200}
    check = (await browser.get("/report/check")).text
    for kept in ("东岳大街88号", "尽快修好", "13812345678"):
        assert kept in check


@pytest.fixture
async def limited(tmp_path, clock):
    """Browsers at a gateway behind a proxy, where ten requests of a session and twenty of an address are enough."""
    portal = {
        "trusted_proxies": ["127.0.0.0/8"],
        "session_burst": 10,
        "session_per_second": 0.001,
        "address_burst": 20,
        "address_per_second": 0.001,
    }
    made = portal_settings(embedded(tmp_path, "j"), tmp_path, portal=portal)
    async with running(made, clock=clock) as gateway, browsing(gateway) as maker:
        yield maker
