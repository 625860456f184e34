"""When it happened, in the citizen's words and, where they are plain, as a day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")

_DAYS_AGO = {"今": 0, "昨": 1, "前": 2}
_WHEN = re.compile(
    r"刚刚|刚才|现在|目前|此刻|今(?:天|早|晚|晨|日)(?:早上|上午|中午|下午|晚上|凌晨)?|昨(?:天|晚|夜|日)(?:早上|上午|中午|下午|晚上|夜里)?|前天(?:晚上|上午|下午)?|"
    r"(?:每天|天天)?(?:早上|上午|中午|下午|晚上|夜里|半夜|凌晨)?[0-9]{1,2}[:：][0-9]{2}|(?:每天|天天)?(?:早上|上午|中午|下午|晚上|夜里|半夜|凌晨)[0-9一二三四五六七八九十]{1,3}点(?:半|多|钟)?|"
    r"(?:每天|天天|每晚)(?:早上|晚上|夜里|半夜|凌晨|中午)|最近|(?:这|近)(?:几天|两天|一周|一个月|段时间|些天)|上(?:个)?(?:周|星期|月)|去年|长期|一直|每天|天天|每晚|经常|多年|常年|"
    r"[0-9]{1,2}月[0-9]{1,2}[日号](?:早上|上午|中午|下午|晚上|凌晨)?|[0-9一二三四五六七八九十两几半]{1,3}(?:个)?(?:天|周|星期|月|年)(?:了|前|以来|多)",
)
_DATE = re.compile(r"([0-9]{1,2})月([0-9]{1,2})[日号]")


@dataclass(frozen=True, slots=True)
class When:
    """A time as it was written; ``at`` is the day in UTC where the words name one."""

    text: str
    at: datetime | None


def when_in(text: str, now: datetime) -> When | None:
    """Return the first mention of a time, or None."""
    found = _WHEN.search(text)
    return When(found.group(), _day(found.group(), now)) if found else None


def times_in(text: str) -> list[str]:
    """Return all mentions of a time."""
    return [found.group() for found in _WHEN.finditer(text)]


def _day(words: str, now: datetime) -> datetime | None:
    today = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    if words[0] in _DAYS_AGO and words[:2] != "前几":
        return today - timedelta(days=_DAYS_AGO[words[0]])
    if words.startswith(("刚", "现在", "目前", "此刻")):
        return now
    if (date := _DATE.match(words)) is None:
        return None
    try:
        day = today.replace(month=int(date.group(1)), day=int(date.group(2)))
    except ValueError:
        return None
    return day if day <= today else day.replace(year=day.year - 1)
