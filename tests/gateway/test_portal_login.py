"""用手机号查: the code that is sent, who may have how many, and what guessing meets."""

import asyncio

import pytest

from tests.kit.browser import PHONE, browsing, code_sent, outgoing, portal_settings
from tests.kit.gateway import embedded, running

OTHER = "13911112222"


async def test_a_proved_telephone_shows_all_that_came_by_it(browsers, portal):
    mine, elsewhere = browsers(), browsers()
    await mine.proves(portal)
    number = await mine.reports()
    page = await elsewhere.proves(portal)
    assert (page.path, number in page.html) == ("/cases", True)
    assert f"尾号 {PHONE[-4:]}" in page.text
    assert (await elsewhere.get(f"/cases/{number}")).status == 200


async def test_who_only_wrote_down_a_number_sees_nothing_of_it(browsers, portal):
    owner, other = browsers(), browsers()
    await owner.proves(portal)
    number = await owner.reports()
    await other.reports(phone=PHONE, text="迎胜路66号的下水道堵了，污水流出来")
    assert number not in (await other.get("/cases")).html
    assert (await other.get(f"/cases/{number}")).status == 404


@pytest.mark.parametrize("phone", ["", "123", "05388221234", "138123456789", "<script>"])
async def test_a_number_that_gets_no_message_is_told_so(browsers, portal, phone):
    page = await browsers().post("/login", {"phone": phone})
    assert (page.status, "请核对 11 位数字" in page.text) == (422, True)
    assert await sent(portal) == 0


@pytest.mark.parametrize("phone", ["138 1234 5678", "+86 138-1234-5678", "008613812345678"])
async def test_a_number_may_be_written_as_people_do(browsers, portal, phone):
    assert (await browsers().post("/login", {"phone": phone})).path == "/login/code"


async def test_a_wrong_code_and_a_late_one_sound_alike(browsers, portal, clock):
    browser = browsers()
    await browser.post("/login", {"phone": PHONE})
    code = await code_sent(portal)
    wrong = await browser.post("/login/code", {"code": other_than(code)})
    clock.wait(minutes=5, seconds=1)
    late = await browser.post("/login/code", {"code": code})
    assert (wrong.status, wrong.text) == (late.status, late.text)
    assert "不对或已过期" in late.text


async def test_a_code_is_good_until_its_last_second_and_once(browsers, portal, clock):
    browser = browsers()
    await browser.post("/login", {"phone": PHONE})
    code = await code_sent(portal)
    clock.wait(minutes=5)
    assert (await browser.post("/login/code", {"code": f" {code[:3]} {code[3:]} "})).path == "/cases"
    assert (await browser.post("/login/code", {"code": code})).path == "/login"


async def test_a_code_is_good_in_the_browser_that_asked_for_it_alone(browsers, portal):
    mine, thief = browsers(), browsers()
    await mine.post("/login", {"phone": PHONE})
    code = await code_sent(portal)
    assert (await thief.post("/login/code", {"code": code})).path == "/login"
    await thief.post("/login", {"phone": OTHER})
    assert "不对" in (await thief.post("/login/code", {"code": code})).text


async def test_five_wrong_codes_lock_out_the_right_one_for_an_hour(browsers, portal, clock):
    browser = browsers()
    await browser.post("/login", {"phone": PHONE})
    code = await code_sent(portal)
    for _ in range(5):
        assert "不对" in (await browser.post("/login/code", {"code": other_than(code)})).text
    assert "一小时后" in (await browser.post("/login/code", {"code": code})).text
    # No more codes are sent that could not be typed in.
    count = await sent(portal)
    assert "要得太多" in (await browsers().post("/login", {"phone": PHONE})).text
    assert await sent(portal) == count
    clock.wait(hours=1, seconds=1)
    assert (await browser.proves(portal)).path == "/cases"


async def test_guessing_by_many_sessions_is_counted_by_the_telephone(browsers, portal):
    thieves = [browsers() for _ in range(5)]
    for thief in thieves:
        await thief.post("/login", {"phone": PHONE})
    tokens = [await thief.csrf() for thief in thieves]
    guesses = [
        (thief, token, f"13579{n}") for thief, token in zip(thieves, tokens, strict=True) for n in range(3)
    ]
    pages = await asyncio.gather(
        *(thief.post("/login/code", {"code": guess}, csrf=token) for thief, token, guess in guesses)
    )
    assert sum("不对或已过期" in page.text for page in pages) == 5
    assert sum("一小时后" in page.text for page in pages) == 10


async def test_guessing_at_once_in_several_processes_is_counted_once(database, tmp_path, clock):
    made = portal_settings(database, tmp_path)
    async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
        thieves = [browsers() for _ in range(5)]
        tokens = []
        for thief in thieves:
            await thief.post("/login", {"phone": PHONE})
            tokens.append(await thief.csrf())
        pages = await asyncio.gather(
            *(
                thief.post("/login/code", {"code": f"1357{n}{m}"}, csrf=token)
                for n, (thief, token) in enumerate(zip(thieves, tokens, strict=True))
                for m in range(4)
            )
        )
        assert sum("不对或已过期" in page.text for page in pages) == 5


async def test_one_telephone_gets_five_codes_an_hour_and_ten_a_day(browsers, portal, clock):
    got = []
    for _hour in range(3):
        for _ in range(7):
            await browsers().post("/login", {"phone": PHONE})
        got.append(await sent(portal))
        clock.wait(hours=1, seconds=1)
    assert got == [5, 10, 10]
    clock.wait(days=1)
    await browsers().post("/login", {"phone": PHONE})
    assert await sent(portal) == 11


async def test_one_browser_gets_ten_codes_a_day_whatever_the_telephones(browsers, portal):
    browser = browsers()
    for n in range(14):
        await browser.post("/login", {"phone": f"138000000{n:02}"})
    assert await sent(portal) == 10


async def test_one_address_gets_sixty_codes_an_hour(browsers, portal):
    for n in range(64):
        await browsers().post("/login", {"phone": f"138000000{n:02}"})
    assert await sent(portal) == 60


async def test_no_restart_forgets_how_many_were_sent(tmp_path, clock):
    made = portal_settings(embedded(tmp_path, "j"), tmp_path)
    for expected in (4, 5):
        async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
            for _ in range(4):
                await browsers().post("/login", {"phone": PHONE})
            assert await sent(gateway) == expected


async def test_the_code_leaves_at_once_by_the_account_of_telephones(browsers, portal):
    await browsers().post("/login", {"phone": PHONE})
    async with asyncio.timeout(10):
        while not portal.channels["sms"].sent:
            await asyncio.sleep(0.01)
    assert [(each.notice, each.address.user) for each in portal.channels["sms"].sent] == [("otp", PHONE)]


async def test_without_an_account_of_telephones_the_other_way_is_told(tmp_path, clock):
    made = portal_settings(embedded(tmp_path, "j"), tmp_path, channels={"web": {"kind": "web"}})
    async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
        page = await browsers().post("/login", {"phone": PHONE})
        assert "暂时不能收短信验证码" in page.text
        assert await outgoing(gateway) == []


async def sent(gateway):
    return sum(notice == "otp" for _, notice, _ in await outgoing(gateway))


def other_than(code):
    return "135790" if code != "135790" else "135791"
