"""The link behind the text message: files for one case, a quarter of an hour, nothing else."""

import re
from importlib import resources

import pytest
from aiohttp import FormData

from gateway.cases import slips
from gateway.runtime import millis
from gateway.store.seal import Sealer
from normalizer.case import Command, Verb
from tests.kit import media
from tests.kit.browser import WORDS, browsing, first, portal_settings
from tests.kit.cases import AGENT
from tests.kit.gateway import embedded, running
from tests.kit.writer import Writer

NUMBER = "37092611240001233"


async def test_a_text_message_asking_for_photos_gets_a_link_that_takes_them(paged, clock):
    gateway, browsers = paged
    writer = phone(gateway, clock)
    number = await reported(writer)
    said = await writer.says("照片怎么发")
    path = first("(?<=https://12345.example.cn)/up/[A-Za-z0-9_-]+", said)
    browser = browsers()
    page = await browser.get(path)
    assert (page.status, f"***{number[-4:]}" in page.text) == (200, True)
    for words in (number, WORDS, "青年路", "张三"):
        assert words not in page.text
    form = FormData()
    form.add_field("grant", page.hidden("grant"))
    form.add_field("next", path)
    form.add_field("files", media.photo(), filename="hole.jpg", content_type="image/jpeg")
    response = await browser.client.post("/uploads/form", data=form)
    assert "hole" in await response.text()
    assert "材料已补充" in (await browser.post(path)).text
    case = await gateway.lookup.case(number)
    assert len(case.matter.attachments) == 1
    assert (await gateway.lookup.log(number))[-1].verb is Verb.SUPPLEMENT
    # The files are the case's now; the page is empty again.
    assert "还没有上传文件" in (await browser.post(path)).text


async def test_after_a_quarter_of_an_hour_it_opens_nothing(paged, clock):
    gateway, browsers = paged
    slip = slips.make(gateway.books.sealer, await reported(phone(gateway, clock)), millis(clock()))
    assert (await browsers().get(f"/up/{slip}")).status == 200
    clock.wait(minutes=16)
    for page in (await browsers().get(f"/up/{slip}"), await browsers().post(f"/up/{slip}")):
        assert (page.status, "链接已过期" in page.text) == (410, True)


async def test_of_a_case_that_has_ended_or_never_was_it_opens_nothing(paged, clock):
    gateway, browsers = paged
    number = await reported(phone(gateway, clock))
    none = slips.make(gateway.books.sealer, NUMBER, millis(clock()))
    slip = slips.make(gateway.books.sealer, number, millis(clock()))
    await gateway.office.act(number, Command(Verb.WITHDRAW, AGENT))
    told = {(await browsers().get(f"/up/{each}")).text for each in (none, slip, "x", "A" * 32)}
    assert len(told) == 1


async def test_without_pages_or_cases_the_other_ways_are_told(paged, clock, gateway):
    assert "收不到照片" in await phone(paged[0], clock).says("照片怎么发")


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("another case", lambda packed: bytes([packed[0], packed[1] ^ 1]) + packed[2:]),
        ("a later end", lambda packed: packed[:11] + bytes([packed[11] ^ 128]) + packed[12:]),
        ("another mark", lambda packed: packed[:-1] + bytes([packed[-1] ^ 1])),
        ("cut", lambda packed: packed[:-1]),
    ],
)
def test_a_slip_that_was_changed_is_none(why, change):
    from base64 import urlsafe_b64decode, urlsafe_b64encode  # noqa: PLC0415

    sealer = Sealer(bytes(32))
    slip = slips.make(sealer, NUMBER, 0)
    changed = urlsafe_b64encode(change(urlsafe_b64decode(slip))).decode()
    assert slips.read(sealer, slip, 1) == NUMBER
    assert slips.read(sealer, changed, 1) is None
    assert slips.read(Sealer(bytes(31) + b"x"), slip, 1) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 32, "=" * 32, "A" * 31, "A" * 33, "!" * 32])
def test_what_is_no_slip_at_all(token):
    assert slips.read(Sealer(bytes(32)), token, 0) is None


def test_a_number_that_begins_with_nothing_keeps_its_length():
    sealer = Sealer(bytes(32))
    assert slips.read(sealer, slips.make(sealer, "00000000000000017", 0), 1) == "00000000000000017"


def phone(gateway, clock):
    return Writer(gateway, clock)


async def reported(writer):
    await writer.says("泰山区青年路路灯坏了影响出行")
    return re.search("[0-9]{17}", await writer.says("张三")).group()


@pytest.fixture
async def paged(tmp_path, clock):
    """A gateway whose pages stand at a public address, and browsers."""
    profile = tmp_path / "city.toml"
    profile.write_text(
        resources.files("gateway").joinpath("profiles", "taian.toml").read_text("utf-8"), "utf-8"
    )
    made = portal_settings(
        embedded(tmp_path, "j"), tmp_path, public_url="https://12345.example.cn/", profile=profile
    )
    async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
        yield gateway, browsers
