"""Notices by template: to every follower, or to who agreed to them (wechat.md 2.6).

A value that breaks its field's rule makes the whole message fail (47003), so each is made to fit before it is sent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from normalizer.people import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channels.wechat.settings import Template
    from normalizer.message import OutboundMessage

NOTHING = "无"
LONGEST = 20
"""Characters of a value of a template message; more is cut by the platform without a word."""
_KIND = re.compile(r"[a-z_]+")
_NOT_PLAIN = re.compile(r"[^0-9A-Za-z!-/:-@\[-`{-~]")
_NOT_DIGITS = re.compile(r"[^0-9.]")
_NOT_HAN = re.compile(r"[^\u4e00-\u9fff]")


def _cut(length: int) -> Callable[[str], str]:
    return lambda value: value if len(value) <= length else f"{value[: length - 1]}…"


def _only(wrong: re.Pattern[str], length: int) -> Callable[[str], str]:
    return lambda value: wrong.sub("", value)[:length]


_RULES: Mapping[str, Callable[[str], str]] = {
    "thing": _cut(20),
    "number": _only(_NOT_DIGITS, 32),
    "letter": _only(re.compile("[^A-Za-z]"), 32),
    "symbol": lambda value: value[:5],
    "character_string": _only(_NOT_PLAIN, 32),
    "phrase": _only(_NOT_HAN, 5),
    "name": lambda value: value[:10],
    "phone_number": _only(re.compile("[^0-9+*-]"), 17),
    "car_number": lambda value: value[:8],
}
"""What each kind of field takes (the platform's page on subscribe messages); times, dates and sums pass as they are."""


def fit(name: str, value: str) -> str:
    """Return a value as its field takes it; the field's kind is its name without the number."""
    kind = _KIND.match(name)
    rule = _RULES.get(kind.group() if kind else "", _cut(LONGEST))
    return rule(mask(" ".join(value.split()))) or ("0" if rule is _RULES["number"] else NOTHING)


def data_of(template: Template | None, message: OutboundMessage) -> dict[str, dict[str, str]]:
    """Return the values of a template's fields: worded as the settings say, else the message's own fields."""
    given = message.fields
    if template is None or not template.fields:
        return {name: {"value": fit(name, value)} for name, value in given.items()}
    known: defaultdict[str, str] = defaultdict(str, given)
    return {
        name: {"value": fit(name, pattern.format_map(known))} for name, pattern in template.fields.items()
    }


def body_of(template: Template | None, message: OutboundMessage) -> dict[str, Any]:
    """Return what is sent: to whom, by which template, with which values."""
    body: dict[str, Any] = {
        "touser": message.address.user,
        "template_id": message.template,
        "data": data_of(template, message),
    }
    if template is not None and template.page:
        body["page"] = template.page
    return body
