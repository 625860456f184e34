"""Whatever the desk's page says has its English, and its files are small and the page's own."""

import gzip
import json
import re

from gateway.web.assets import FOLDER

DESK = FOLDER / "desk"
HAN = re.compile(r"[一-鿿]")
HELD = re.compile(r"\{\w+\}")
COMMENT = re.compile(r"(?s)^\s*//[^\n]*$|/\*\*.*?\*/|\s//[^\n]*$", re.MULTILINE)
QUOTED = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
NOT_SAID = {
    "中文",  # names itself
    "阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨他穵夕丫帀",  # sorts
}
BUDGET = 150 * 1024
"""Bytes over the wire at the first load (desk-and-open311.md 5)."""


def said() -> set[str]:
    codes = (COMMENT.sub("", path.read_text("utf-8")) for path in DESK.glob("*.js"))
    found = {text for code in codes for text in QUOTED.findall(code) if HAN.search(text)}
    return found - NOT_SAID


ENGLISH: dict[str, str] = json.loads((DESK / "en.json").read_text("utf-8"))
SAID = said()


def test_what_the_desk_says_is_found_at_all():
    assert {"领取", "已断线，正在重连…", "第{n}次来", "即将超时"} <= SAID


def test_nothing_that_the_desk_says_lacks_its_english():
    assert sorted(SAID - set(ENGLISH)) == []


def test_nothing_is_translated_that_the_desk_does_not_say():
    assert sorted(set(ENGLISH) - SAID) == []


def test_a_translation_has_the_same_fields_and_no_chinese():
    wrong = [
        text
        for text, english in ENGLISH.items()
        if set(HELD.findall(english)) != set(HELD.findall(text)) or HAN.search(english)
    ]
    assert wrong == []


def test_no_words_hide_in_templates_of_text_where_no_translation_reaches_them():
    hidden = [
        text
        for path in DESK.glob("*.js")
        for text in re.findall(r"`([^`]*)`", COMMENT.sub("", path.read_text("utf-8")))
        if HAN.search(QUOTED.sub("", text))
    ]
    assert hidden == []


def test_the_page_before_its_scripts_says_nothing_but_what_is_said_again_in_english():
    """The title is set anew in the language that is chosen; who has no script is told in both."""
    page = (FOLDER.parent / "templates/desk/desk.html").read_text("utf-8")
    title = re.findall("<title>(.*?)</title>", page)
    assert [text in ENGLISH for text in title] == [True]
    rest = re.sub("(?s)<title>.*?</title>|<noscript>.*?</noscript>", "", page)
    assert not HAN.search(rest)
    assert 'lang="en"' in re.findall("(?s)<noscript>.*?</noscript>", page)[0]


def test_the_first_load_keeps_to_its_budget():
    assert sum(len(gzip.compress(path.read_bytes())) for path in DESK.iterdir()) < BUDGET


def test_the_page_takes_nothing_from_elsewhere():
    """But names of things that are no addresses."""
    found = [path.name for path in DESK.iterdir() if re.search(r"https?://|//cdn", path.read_text("utf-8"))]
    assert found == []
