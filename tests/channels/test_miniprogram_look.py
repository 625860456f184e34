"""How the mini-program's pages look: every page is drawn, large for old eyes, in both languages, and lacks no word."""

import json
import re
import subprocess
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.web.portal.told import TOLD
from normalizer.case import CITIZEN_LABELS
from normalizer.codes import KIND_LABELS, LOW_RATING_LABELS, SATISFACTION_LABELS
from tests.kit.mini import begins, number_on, reports
from tests.kit.phone import CLIENT, needed

PAGES = json.loads((CLIENT / "app.json").read_text())["pages"]
HAN = re.compile(r"[\u4e00-\u9fff]+")


async def every_page(held, number: str):
    """Yield every page as it is shown, the report step by step."""
    for path in PAGES:
        name = path.rpartition("/")[2]
        if name != "report":
            yield await held.opens(name, number=number, id="none")
    yield await begins(held, "泰山区岱宗大街66号的路灯坏了三天，晚上很黑")
    while "提交" not in (screen := await held.looks()).taps:
        if "怎么联系您" in screen.text:
            await held.writes(phone="13812345678")
        yield await held.taps("下一步")


async def test_every_page_is_drawn_of_known_parts_with_targets_of_44_pixels(world):
    async with world.phone() as held:
        number = await reports(held)
        seen = set()
        async for screen in every_page(held, number):
            seen.add(screen.page)
            assert screen.said["title"]
            assert "undefined" not in screen.text
            looks = await held.measures()
            assert looks.strange == []
            assert all(each["height"] >= 44 and each["width"] >= 44 for each in looks.targets)
            assert min(looks.type) >= 16
        assert seen == {path.rpartition("/")[2] for path in PAGES}


async def test_the_elderly_view_is_large_on_every_page_asks_less_and_is_kept(world):
    async with world.phone() as held:
        number = await reports(held)
        await held.opens("home")
        await held.taps("长辈版")
        async for screen in every_page(held, number):
            looks = await held.measures()
            small = [each for each in looks.targets if each["height"] < 60 or each["width"] < 60]
            assert small == [], screen.page
            assert min(looks.type) >= 24, screen.page
        assert "第 5 步，共 5 步" in screen.text
    async with world.phone() as held:
        screen = await held.looks()
        assert "普通版" in screen.taps
        assert min((await held.measures()).type) >= 24


async def test_the_elderly_view_tells_the_gateway_so(world):
    async with world.phone() as held:
        await held.taps("长辈版")
        await begins(held)
        await held.taps("下一步")
        await held.taps("下一步")
        await held.writes(phone="13812345678")
        await held.taps("下一步")
        number = number_on(await held.taps("提交"))
        assert "老年人" in (await world.case(number)).complainant.tags


async def test_every_page_speaks_english(world):
    async with world.phone() as held:
        number = await reports(held)
        await held.opens("home")
        assert HAN.findall((await held.taps("English")).text) == ["中文"]
        for page in ("privacy", "done", "supplement", "rate", "lookup", "knowledge", "entry"):
            screen = await held.opens(page, number=number, id="none")
            assert HAN.findall(screen.text) == [], page
        screen = await held.opens("cases")
        assert "Submitted" in screen.text
        screen = await held.opens("case", number=number)
        assert "Submitted" in screen.text
        await held.opens("report")
        assert "Please say a little more" in (await held.taps("Next")).text


def told(expression: str) -> Any:
    """Evaluate an expression in node, with the client's texts at hand."""
    script = f"const texts=require('./lib/texts'),said=require('./lib/said');console.log(JSON.stringify({expression}))"
    done = subprocess.run(
        [needed(), "-e", script], cwd=CLIENT, check=True, capture_output=True, text=True, timeout=20
    )
    return json.loads(done.stdout)


def test_every_word_of_the_gateway_has_an_english_one():
    said = told("said")
    for table in (CITIZEN_LABELS, TOLD, KIND_LABELS, SATISFACTION_LABELS, LOW_RATING_LABELS):
        assert {word for word in table.values() if word not in said} == set()


def test_every_text_is_there_in_both_languages():
    for page, rows in told("texts.TABLE").items():
        for key, row in rows.items():
            assert len(row) == 2, (page, key)
            assert page == "report" or all(row), (page, key)
            assert HAN.search(row[0]) or row[0] == "12345" or page == "home", (page, key)


@pytest.mark.parametrize("folder", sorted(each.name for each in (CLIENT / "pages").iterdir()))
def test_a_page_asks_for_no_text_that_is_not_in_the_table(folder):
    table = told("texts.TABLE")
    asked = set()
    for ending in ("wxml", "js"):
        source = (CLIENT / "pages" / folder / f"{folder}.{ending}").read_text()
        asked |= set(re.findall(r"\bt\.(\w+)", source))
    assert asked - table["all"].keys() - table[folder].keys() == set()


def test_the_codes_that_are_sent_are_the_gateway_s():
    rate = (CLIENT / "pages/rate/rate.js").read_text()
    scores, reasons = (
        {int(code): word for code, word in re.findall(r"\[(\d), '(\w+)'\]", line)}
        for line in re.findall(r"const (?:SCORES|REASONS) = (.*)", rate)
    )
    assert (scores, reasons) == (SATISFACTION_LABELS, LOW_RATING_LABELS)
    kinds = dict(re.findall(r"\['(\d\d)', '(\w+)'\]", (CLIENT / "lib/matter.js").read_text()))
    assert kinds == {code.value: word for code, word in KIND_LABELS.items() if code != "99"}


def test_a_copy_of_the_source_is_written_for_an_engineer_and_nothing_is_overwritten(tmp_path):
    target = tmp_path / "client"
    assert CliRunner().invoke(app, ["wechat", "client", str(target)]).exit_code == 0

    def files(folder):
        return {
            str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()
        }

    assert files(target) == files(CLIENT)
    again = CliRunner().invoke(app, ["wechat", "client", str(target)])
    assert again.exit_code == 2
    assert "已经存在" in again.output


def test_the_source_names_no_account_and_asks_for_no_package():
    assert json.loads((CLIENT / "project.config.json").read_text())["appid"] == ""
    assert not (CLIENT / "package.json").exists()
    for path in PAGES:
        assert all((CLIENT / f"{path}.{ending}").is_file() for ending in ("js", "json", "wxml", "wxss"))
