"""What an answer looks like, whatever was asked: people say where and when as it comes to their minds (domain.md 4.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from bots.state import Step
from normalizer.people import name_in
from normalizer.when import times_in

if TYPE_CHECKING:
    from normalizer.draft import CaseDraft

MOSTLY = 0.6
"""How much of an answer must be a place or a time, so that it is nothing else."""
WISH = 30
"""Characters beyond which a wish tells of more."""

_AROUND = re.compile(
    r"[，,。.!！?？、\s]|^(?:(?:就是|就在|应该是|可能是|大概是?|大约|(?:我们?|我家|那个|这个)?(?:小区|楼下|旁边|对面|地点|地址|位置|名字|时间)(?:是|叫|在)|(?:我|我家|我们)?(?:住在?|在)|地点|地址|时间|就|在|是|从|叫|[:：])+)"
    r"|(?:(?:吧|啊|呀|呢|了|的|左右|附近|那边|这边|那里|这里|开始的?|都?(?:这样|有|是)|以后|之后)+)$"
)
_WISH = re.compile(
    r"(?:我|我们|你们|就|只|请|麻烦|最好|能)*(?:希望|要求|恳请|盼望?|想(?:让|要|请)|让(?!人)|叫(?:他|她|物业)|能不能|能否|可不可以|赶紧|赶快|尽快|尽早|快点|快些|抓紧|马上|立即|立刻"
    r"|给(?:我们?|个|换|修|处理|解决|退|赔)|(?:修|换|退|赔|补|拆|清|管|处理|解决|整改|取缔|恢复|查处|查清|道歉|赔偿|退款|退钱|维修|更换|清理|严查|处罚)(?:好|掉|了|一下|钱|完|走|干净|就行|即可|$)"
    r"|要(?:求|个|赔|退|道歉|说法)|道歉)[^。！!？?\n]*"
)
_CALLED = re.compile(
    r"(?:我?(?:叫|姓|是)?)[\u4e00-\u9fff]{1,3}(?:先生|女士|小姐|同志|师傅|阿姨|大爷|大妈|大哥|大姐|老师)|我?(?:叫|姓)[\u4e00-\u9fff]{1,4}"
)
_NUMBER = re.compile(r"[0-9+\-:：]|电话|手机|号码?|联系|方式|我的?|是|叫|姓")
NAME = 4
"""Characters of a name beside a number."""
ANONYMOUS = re.compile(
    "匿名|不(?:想|愿意?|方便|能|要|用)?(?:留|透露|提供|给(?:你们?|您)?(?:电话|手机|号码|姓名|联系))|不告诉(?:你们?|您)|^不(?:太)?方便(?:说|讲)?[了吧啊。.!！]*$"
)
"""Whoever will not say who he is."""
DECLINING = 12
"""Characters beyond which such words are about something else."""
_OF_DAY = re.compile("(?:早上?|早晨|上午|中午|下午|傍晚|晚上|夜里|夜间|半夜|凌晨|白天|周末|节假日|平时)+")
_SOMEWHERE = re.compile(
    r"(?:(?:就|是|在|我|们|俺|咱|你|这|那|的|条|个|家|住|附近|单位|楼下|楼上|门口|小区|村里?|这里|这边|那里|那边|对面|旁边|路上?|街上?|路口|里面?|外面?|前面?|后面?|上|下|楼道|公司|学校|工地|广场|马路|公交站|车站|站牌|站台|医院|公园|市场|超市|商场|银行|厕所|红绿灯|桥|河边|村头|村口|[东西南北]头|[东西南北]门|小卖部|斑马线)+)"
)
"""Places that only who says so can find."""


_DISTRICT = re.compile(r"(?:[\u4e00-\u9fff]{1,5}?(?:省|市|区|县|街道|镇|乡))+")


VAGUE = 20
"""Characters beyond which a place says something; and what could be read in many ways is not read in all of them."""


def vague(place: str) -> bool:
    """Return whether a place has no name by which others could find it, or only that of a district."""
    core = _core(place)
    if len(core) > VAGUE:
        return False
    return bool(_SOMEWHERE.fullmatch(core) or (_DISTRICT.fullmatch(core) and not core.endswith("小区")))


def shape_of(reading: CaseDraft) -> Step | None:
    """Return the one question that a message answers by its looks; None when it may be anything."""
    core = _core(reading.text) if reading.digit is None else ""
    return next((step for step, looks in _LOOKS.items() if looks(reading, core)), None) if core else None


_INSTITUTION = re.compile(
    r"(?:(?![的了着不没在被把])[\u4e00-\u9fffA-Za-z0-9]){1,12}(?:[一二三四五六七八九十附]中|实小|附小|幼儿园|派出所|卫生院|加油站|停车场|工业园|产业园|酒店|宾馆|居委会|村委会|大队|分局|养老院|菜市场|售楼处|营业厅)(?:门口|门前|对面|里面)?"
)


def _is_time(reading: CaseDraft, core: str) -> bool:
    return _OF_DAY.fullmatch(core) is not None or sum(map(len, times_in(reading.text))) >= MOSTLY * len(core)


def _is_wish(reading: CaseDraft, core: str) -> bool:  # noqa: ARG001 - its beginning counts, not its core
    return len(reading.text) <= WISH and _WISH.fullmatch(reading.text.rstrip("。.!！~～ ")) is not None


def _is_contact(reading: CaseDraft, core: str) -> bool:
    if len(reading.text) <= DECLINING and ANONYMOUS.search(reading.text):
        return True
    numbered = reading.findings() and len(_NUMBER.sub("", core)) <= NAME
    return bool(numbered) or (_CALLED.fullmatch(core) is not None and name_in(core) is not None)


def _is_place(reading: CaseDraft, core: str) -> bool:
    if _INSTITUTION.fullmatch(core):
        return True
    place = reading.place_text() or ""
    return bool(place) and not vague(place) and len(_core(place)) >= MOSTLY * len(core)


_LOOKS: dict[Step, Callable[[CaseDraft, str], bool]] = {
    Step.WHEN: _is_time,
    Step.DEMAND: _is_wish,
    Step.CONTACT: _is_contact,
    Step.PLACE: _is_place,
}
"""In the order in which they are told apart: 修好路灯 is a wish, though it has a road in it."""


def _core(text: str) -> str:
    return _AROUND.sub("", text)
