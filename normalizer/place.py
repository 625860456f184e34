"""Where it happened, as the citizen wrote it."""

from __future__ import annotations

import re

_NONE, _SIGN = "[的了着不没都很是有被把在得太]", r"[\u4e00-\u9fffA-Za-z0-9]"
# A place is one or more named parts ending in a word for a kind of place, and what narrows it down.
_PART = (
    rf"(?!{_NONE}|门[口前]){_SIGN}(?:(?!{_NONE}|门[口前]|对面|附近|旁边){_SIGN}){{0,11}}?(?:省|自治区|市|区|县|旗|街道|大街|开发区|高新区|镇|乡|村|屯|社区|小区|花园|家园|公寓|新村|广场(?!舞)|大厦|"
    r"大道|公路|国道|高速|路|街|巷|胡同|弄|里|苑|城|园|府|庄|桥|站|学校|小学|中学|大学|医院|市场|超市|商场|公园|工地)"
)
_DETAIL = (
    r"(?:[A-Za-z0-9一二三四五六七八九十]{1,6}(?:号楼?|栋|幢|座|单元|室|层|楼|米|组|期|门))*"
    r"(?:(?:和|与|跟)?[\u4e00-\u9fff]{0,8}?(?:路|街|大街|大道)?(?:交叉口|路口|交汇处|十字路口))?"
    r"(?:(?:门口|对面|附近|旁边|旁|东侧|西侧|南侧|北侧|东门|西门|南门|北门|东南角|西南角|东北角|西北角|路东|路西|路南|路北|桥下|楼下|里面|以东|以西|以南|以北))*"
)
_PLACE = re.compile(f"(?!(?<=门)口)(?:{_PART}){{1,6}}{_DETAIL}")
_LEAD = re.compile(
    r"^(?:我(?:家)?(?:住)?在|我们|我家|我|你好|您好|请问|反映|投诉|举报|位于|地点(?:是|在|:|：)?|地址(?:是|在|:|：)?|就在|在|住|于|是|到|从|今天|昨天|昨晚|这里是|这个|那个|有人在|有人)+"
)
_NOT = re.compile(
    r"^(?:小区.*|路.*|[0-9]{1,3}路(?:公交车?|车)?|[一这那哪每各某整全本该我你他半条几]*(?:街|村|社区|市|区|县|站|里|城|园|镇|乡|医院|学校|市场|超市|公园|工地|桥)|"
    r".{0,3}(?:线路|网路|道路|马路|公路|铁路|电路|半路|出路|一路|城市|门市|超市|股市|上市|那里|这里|哪里|家里|心里|手里|夜里|车里|屋里|楼里|里里|庄|工地|政府))$",
)


def place_in(text: str) -> str | None:
    """Return the longest mention of a place in the text as it was written, or None."""
    found = (_LEAD.sub("", match.group()) for match in _PLACE.finditer(text))
    likely = [place for place in found if len(place) > 2 and not _NOT.match(place)]
    return max(likely, key=len, default=None)


def has_place(text: str) -> bool:
    """Return whether the text mentions a place."""
    return place_in(text) is not None
