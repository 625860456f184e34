"""Whatever a page says has its English: taken from the templates, and from the words that code hands to pages."""

import ast
import re
from importlib import resources
from pathlib import Path

from bots import slots
from gateway.media.words import MISSING, NOT_HERE
from gateway.web.texts import catalogue
from normalizer.case import CITIZEN_LABELS
from normalizer.codes import KIND_LABELS, LOW_RATING_LABELS, SATISFACTION_LABELS

GATEWAY = Path(str(resources.files("gateway")))
CALL = re.compile(r"""\b_\(\s*'((?:[^'\\]|\\.)*)'|\b_\(\s*"((?:[^"\\]|\\.)*)\"""")
HAN = re.compile(r"[一-鿿]")
HELD = re.compile(r"\{\w+\}")
NOT_SAID = {
    "本人撤回",  # goes into the log
    "年",
    "月",
    "日",
    "日 ",
}


def in_templates() -> set[str]:
    texts = (path.read_text("utf-8") for path in (GATEWAY / "templates/portal").glob("*.html"))
    return {single or double for text in texts for single, double in CALL.findall(text)}


def in_code() -> set[str]:
    found: set[str] = set()
    for path in (GATEWAY / "web/portal").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in told else ""
            if isinstance(text, str) and HAN.search(text):
                found.add(text)
    return found - NOT_SAID


def in_tables() -> set[str]:
    tables = (CITIZEN_LABELS, KIND_LABELS, SATISFACTION_LABELS, LOW_RATING_LABELS, slots.WHENS, MISSING)
    return {str(text) for table in tables for text in table.values()} | {NOT_HERE}


SAID = in_templates() | in_code() | in_tables()


def test_what_pages_say_is_found_at_all():
    assert {"我要反映", "页面已过期", "已受理", "非常满意"} <= SAID


def test_nothing_that_a_page_says_lacks_its_english():
    assert sorted(SAID - set(catalogue("en"))) == []


def test_nothing_is_translated_that_no_page_says():
    assert sorted(set(catalogue("en")) - SAID) == []


def test_a_translation_has_the_same_fields_and_no_chinese():
    wrong = [
        text
        for text, english in catalogue("en").items()
        if set(HELD.findall(english)) != set(HELD.findall(text)) or HAN.search(english)
    ]
    assert wrong == []
