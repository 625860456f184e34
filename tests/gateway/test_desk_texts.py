"""Whatever the desk's page says has its English, and its files are small and the page's own."""

import ast
import gzip
import json
import re
import tomllib
from pathlib import Path

import gateway
from gateway.desk.accounts import PASSWORD_CHARS
from gateway.desk.labels import VERB_LABELS
from gateway.web.assets import FOLDER
from normalizer.case import STAGE_LABELS
from normalizer.codes import (
    CATEGORY_LABELS,
    KIND_LABELS,
    REJECT_LABELS,
    SATISFACTION_LABELS,
    SUPERVISION_LABELS,
)
from normalizer.guards import MIN_HAN

DESK = FOLDER / "desk"
HAN = re.compile(r"[一-鿿]")
HELD = re.compile(r"\{\w+\}")
COMMENT = re.compile(r"(?s)^\s*//[^\n]*$|/\*\*.*?\*/|\s//[^\n]*$", re.MULTILINE)
QUOTED = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
NOT_SAID = {
    "中文",  # names itself
    "阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨他穵夕丫帀",  # sorts
}
PACKAGE = Path(gateway.__file__).parent
NOT_THE_DESKS = {"checkup", "provider", "sso", "vouching"}
"""Modules of ``gateway/web/desk`` whose words stand in ``jiesu doctor`` and in pages of both languages."""
CONTENT = {"接诉", "热线", "城市", "今天", "坐席代录"}
"""What the gateway keeps or writes into a reply, and the desk does not say itself."""
TABLES = (
    VERB_LABELS,
    STAGE_LABELS,
    KIND_LABELS,
    CATEGORY_LABELS,
    REJECT_LABELS,
    SATISFACTION_LABELS,
    SUPERVISION_LABELS,
)
BUDGET = 150 * 1024
"""Bytes over the wire at the first load (desk-and-open311.md 5)."""


def said() -> set[str]:
    codes = (COMMENT.sub("", path.read_text("utf-8")) for path in DESK.glob("*.js"))
    found = {text for code in codes for text in QUOTED.findall(code) if HAN.search(text)}
    return found - NOT_SAID


ENGLISH: dict[str, str] = json.loads((DESK / "en.json").read_text("utf-8"))
SAID = said()


def told() -> set[str]:
    """What the gateway says to the desk: tables of codes, why a phrase is held up, and the texts of its modules."""
    modules = [each for each in (PACKAGE / "web/desk").glob("*.py") if each.stem not in NOT_THE_DESKS]
    modules += [PACKAGE / name for name in ("desk/form.py", "desk/wording.py", "web/api/problems.py")]
    forbidden = tomllib.loads((PACKAGE / "templates/forbidden.toml").read_text("utf-8"))
    found = {text for path in modules for text in literals(ast.parse(path.read_text("utf-8")))}
    found |= {text for table in TABLES for text in table.values()}
    return found | {each["why"] for each in forbidden.values()} - CONTENT


def literals(tree: ast.AST) -> set[str]:
    """The Chinese texts of a module, without what explains it and what is put together."""
    documents = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    pieces = {
        id(piece) for each in ast.walk(tree) if isinstance(each, ast.JoinedStr) for piece in each.values
    }
    return {
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and HAN.search(each.value)
        if id(each) not in documents | pieces and each.value not in CONTENT
    }


TOLD = told()


def test_what_the_desk_says_is_found_at_all():
    assert {"领取", "已断线，正在重连…", "第{n}次来", "即将超时"} <= SAID


def test_nothing_that_the_desk_says_lacks_its_english():
    assert sorted(SAID - set(ENGLISH)) == []


def test_nothing_that_the_gateway_tells_the_desk_lacks_its_english():
    assert {"{by}接入", "电话号码不对，请核对", "已派单待签收", "推诿用语，请说明能做什么、找谁办"} <= TOLD
    assert sorted(TOLD - set(ENGLISH)) == []


def test_nothing_is_translated_that_the_desk_does_not_say():
    assert sorted(set(ENGLISH) - SAID - TOLD) == []


def test_a_translation_has_the_same_fields_and_no_chinese():
    wrong = [
        text
        for text, english in ENGLISH.items()
        if set(HELD.findall(english)) != set(HELD.findall(text)) or HAN.search(english)
    ]
    assert wrong == []


def test_a_number_in_words_is_that_of_the_rule():
    assert f"诉求内容至少 {MIN_HAN} 个汉字" in TOLD
    assert f"密码至少 {PASSWORD_CHARS} 个字符。" in TOLD


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
