"""Who sits at a page: the cookie, what is remembered and for how long, and what a stranger's cookie opens."""

import hmac

import pytest
from sqlalchemy import func, select

from gateway.store.tables import BINDING, WEB_SESSION
from tests.kit.browser import PHONE, WORDS, browsing, portal_settings
from tests.kit.gateway import running, settings


async def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(browsers):
    page = await browsers().get("/")
    morsel = page.response.cookies["jiesu"]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["secure"], morsel["domain"]) == (
        (True, "Lax", "/", "", "")
    )
    assert int(morsel["max-age"]) == 30 * 24 * 3600


async def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(database, tmp_path, clock):
    made = settings(database, tmp_path, public_url="https://12345.example.cn")
    async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
        page = await browsers().get("/")
        assert page.response.cookies["__Host-jiesu"]["secure"] is True
        assert "max-age" in page.headers["Strict-Transport-Security"]
        chosen = await browsers().post("/view", {"elderly": "1"}, csrf="-", follow=False)
        assert chosen.status == 403


async def test_a_known_browser_gets_no_second_cookie(browsers):
    browser = browsers()
    await browser.get("/")
    assert "jiesu" not in (await browser.get("/report")).response.cookies


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("the name is another", lambda name, until, mark: f"{name}x.{until}.{mark}"),
        ("it ends later", lambda name, until, mark: f"{name}.{int(until) + 1}.{mark}"),
        ("the mark is cut", lambda name, until, mark: f"{name}.{until}.{mark[:-1]}"),
        ("there is no mark", lambda name, until, mark: f"{name}.{until}."),
        ("it is empty", lambda name, until, mark: ""),
        ("it is noise", lambda name, until, mark: "...."),
        ("the end is no number", lambda name, until, mark: f"{name}.soon.{mark}"),
        ("its digits are wide", lambda name, until, mark: f"{name}.１２３.{mark}"),
        ("its digits never end", lambda name, until, mark: f"{name}.{'9' * 6000}.{mark}"),
        ("it is not ASCII", lambda name, until, mark: f"{name}.{until}.é"),
    ],
)
async def test_a_cookie_that_was_changed_begins_anew(browsers, gateway, why, change):
    browser, thief = browsers(), browsers()
    number = await browser.reports()
    assert (await browser.get(f"/cases/{number}")).status == 200
    header = {"Cookie": f"jiesu={change(*browser.cookie().split('.'))}"}
    page = await thief.get(f"/cases/{number}", headers=header)
    assert page.status == 404
    assert "jiesu" in page.response.cookies


async def test_bytes_that_are_no_text_in_a_cookie_or_a_token_do_no_harm(browsers):
    browser = browsers()
    for header in ({"Cookie": "jiesu=a.1.\udcff\udcfe"}, {"Authorization": "Bearer a.1.\udcff"}):
        assert (await browser.raw("GET", "/", headers=header)).status == 200


async def test_a_session_ends(browsers, clock):
    browser = browsers()
    number = await browser.reports()
    clock.wait(days=30, seconds=1)
    assert (await browser.get(f"/cases/{number}")).status == 404


async def test_an_app_brings_the_token_as_a_bearer(browsers):
    browser, app = browsers(), browsers()
    number = await browser.reports()
    header = {"Authorization": f"Bearer {browser.cookie()}"}
    assert (await app.get(f"/cases/{number}", headers=header)).status == 200


async def test_nothing_is_kept_of_who_only_looks(browsers, gateway):
    browser = browsers()
    for path in (
        "/",
        "/report",
        "/report/what",
        "/cases",
        "/login",
        "/chat",
        "/scope",
        "/privacy",
        "/nowhere",
    ):
        await browser.get(path)
    await browser.post("/view", {"elderly": "1"})
    await browser.post("/report/what", {"text": "太短"})
    assert await kept(gateway) == []


async def test_a_draft_is_kept_for_a_day_and_then_no_row_of_it_is_left(browsers, gateway, clock):
    browser = browsers()
    await browser.post("/report/what", {"text": WORDS})
    clock.wait(hours=23)
    assert "您有一件没写完的" in (await browser.get("/report")).text
    clock.wait(hours=1, minutes=1)
    assert WORDS not in (await browser.get("/report/what")).text
    other = browsers()
    await other.post("/report/what", {"text": WORDS})
    assert len(await kept(gateway)) == 1


async def test_a_draft_beside_a_proved_telephone_is_dropped_after_a_day_too(browsers, gateway, clock):
    browser = browsers()
    await browser.post("/report/what", {"text": WORDS})
    clock.wait(hours=20)
    await browser.proves(gateway)
    assert WORDS in (await browser.get("/report/what")).text
    clock.wait(hours=4, minutes=1)
    assert WORDS not in (await browser.get("/report/what")).text


async def test_what_is_kept_is_sealed(browsers, gateway):
    await browsers().writes()
    (row,) = await kept(gateway)
    assert WORDS.encode() not in row.body
    assert PHONE.encode() not in row.body


async def test_proving_a_telephone_gives_a_new_cookie_and_the_old_one_opens_nothing(browsers, gateway):
    browser, thief = browsers(), browsers()
    number = await browser.reports()
    planted = browser.cookie()
    await browser.proves(gateway)
    assert browser.cookie() != planted
    assert (await browser.get(f"/cases/{number}")).status == 200
    # Whoever put the cookie into the browser beforehand knows it.
    thief.carry(planted)
    assert (await thief.get(f"/cases/{number}")).status == 404
    assert number not in (await thief.get("/cases")).html
    assert PHONE[-4:] not in (await thief.get("/cases")).text


async def test_what_was_reported_without_the_telephone_is_not_joined_to_it(browsers, gateway):
    browser, elsewhere = browsers(), browsers()
    number = await browser.reports(anonymous="1", phone="", name="")
    await browser.proves(gateway)
    page = await browser.get(f"/cases/{number}")
    assert page.status == 200
    assert WORDS not in page.text
    await elsewhere.proves(gateway)
    assert number not in (await elsewhere.get("/cases")).html


async def test_after_logout_neither_browser_nor_cookie_opens_anything(browsers, gateway):
    browser, thief = browsers(), browsers()
    number = await browser.reports()
    await browser.proves(gateway)
    stolen = browser.cookie()
    thief.carry(stolen)
    assert (await thief.get(f"/cases/{number}")).status == 200
    await browser.post("/logout")
    assert browser.cookie() != stolen
    for each in (browser, thief):
        assert (await each.get(f"/cases/{number}")).status == 404
    bound = await gateway.books.store.read(
        lambda c: c.execute(select(func.count()).select_from(BINDING)).scalar()
    )
    assert bound == 1  # the telephone's own conversation


async def test_a_proved_session_ends_after_a_day(browsers, gateway, clock):
    browser = browsers()
    number = await browser.reports()
    await browser.proves(gateway)
    clock.wait(hours=23, minutes=59)
    assert (await browser.get(f"/cases/{number}")).status == 200
    clock.wait(minutes=2)
    assert (await browser.get(f"/cases/{number}")).status == 404


async def test_another_installation_s_cookie_is_nobody_s(browsers, gateway):
    browser = browsers()
    await browser.get("/")
    name, until, mark = browser.cookie().split(".")
    forged = hmac.new(b"another key", f"session {name}.{until}".encode(), "sha256").hexdigest()[:40]
    assert forged != mark
    page = await browsers().get("/", headers={"Cookie": f"jiesu={name}.{until}.{forged}"})
    assert "jiesu" in page.response.cookies


async def kept(gateway):
    return await gateway.books.store.read(lambda c: c.execute(select(WEB_SESSION)).all())


@pytest.fixture
async def gateway(database, tmp_path, clock):
    async with running(portal_settings(database, tmp_path), clock=clock) as opened:
        yield opened


@pytest.fixture
async def browsers(gateway):
    async with browsing(gateway) as maker:
        yield maker
