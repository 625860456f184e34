"""我的信息: what is kept of somebody, another telephone, his draft, and the wish to be deleted (PIPL 44-47, domain.md 1.10)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bots.contract import Act, AskOwn, Wished, WishKind
from bots.intent import Intent
from bots.scene import idle
from bots.state import Flow, Order, Step
from normalizer import numbers
from normalizer.case import OPEN, Actor, Case, Command, Role, Stage, Verb
from normalizer.evolve import evolve
from normalizer.people import mask_name, mask_phone, valid_phone
from normalizer.text import clean

if TYPE_CHECKING:
    from bots.contract import Ask, Turn
    from bots.scene import Scene

LONGEST = 40
"""Characters beyond which a message is about something else."""
WISHED_BEFORE = timedelta(days=1)
"""Time in which the wish to be deleted is taken once."""

CITIZEN = Actor(Role.CITIZEN)
_BUSY = frozenset({Flow.REASONS, Flow.NOTE, Flow.SERVICE, Flow.CALLBACK})
"""Talks whose answers may be any words."""
_ME = "(?:我的?|本人的?)"
_KEPT = re.compile(
    rf"(?:查看?|看看?|查询|查一下|看一下)?{_ME}(?:个人)?(?:信息|资料)(?:有哪些|查询)?"
    rf"|你们?(?:这里|那里)?(?:存|留|记|有)(?:了|着)?{_ME}(?:的)?(?:哪些|什么)(?:个人)?(?:信息|资料)"
    rf"|{_ME}?留的(?:电话|手机号?|号码|称呼|名字)(?:号码)?(?:是)?(?:多少|什么|哪个)"
)
_PHONE = re.compile(
    r"(?:我|把|请|帮|想|要|的)*(?:(?:改|换|更换|修改|变更|更正)(?:一下|了|掉|成|为|我的|个|新)*(?:联系)?(?:电话|手机号?|手机|号码|号)(?:码)?"
    r"|(?:联系)?(?:电话|手机号?|手机|号码)(?:码)?(?:要|需要)?(?:改|换|变)(?:一下|了|成|为)*|(?:联系)?(?:电话|手机号?|号码)(?:写|填|留|说)错了)"
    r"[了吧啊]?(?P<rest>[现在以后改换应该的新号码电话手机是为成用打0-9+\-\s，,。:：（）()]*)"
)
_ERASE = re.compile(
    rf"(?:请|帮|我|要|想|要求|申请|给|能不能|可以)*(?:删除|清除|注销|抹掉|删掉|删)(?:一下|掉|了)?(?:{_ME}|在你们?这里的?|所有|全部|的)*(?:个人)?(?:信息|数据|资料|记录|账号|账户|隐私)(?:吧|吗|了)?"
    rf"|(?:请|帮)?(?:把)?{_ME}(?:所有|全部)?的?(?:个人)?(?:信息|数据|资料|记录)(?:都|全|全部)*(?:给我)?(?:删除|清除|删掉|删|清空)(?:了|掉)?(?:吧|吗)?"
)
_DROP = re.compile(
    "(?:删除|清除|删掉|删了|丢掉|不要)(?:那个|这个|我的)?(?:草稿|没提交的|未提交的)(?:诉求|内容)?|草稿(?:不要了|删除|删了|删掉)"
)


def asked(scene: Scene) -> Turn | Ask | None:
    """Show what is kept, take another telephone, drop the draft, or ask whether all is to be deleted."""
    state, text = scene.state, scene.reading.matching.strip("。.!！?？~ ")
    collects = state.flow is Flow.SUPPLEMENT and state.step is Step.COLLECT
    if not text or len(text) > LONGEST or state.flow in _BUSY or collects:
        return None
    if _KEPT.fullmatch(text):
        return _shown(scene)
    if _ERASE.fullmatch(text):
        return scene.turn(scene.say("ask_erase"), state=idle(state, flow=Flow.MINE, step=Step.CONFIRM))
    # In an order "电话写错了" is about the order.
    return None if state.flow is Flow.ORDER else _changes(scene, text)


def _changes(scene: Scene, text: str) -> Turn | Ask | None:
    if _DROP.fullmatch(text):
        words = scene.say("draft_dropped" if scene.state.order.since is not None else "no_draft")
        return scene.turn(words, state=idle(scene.state, order=Order()))
    found = _PHONE.fullmatch(text)
    if found is None:
        return None
    return _changed(scene) if re.search("[0-9]", found["rest"]) else _ask_phone(scene)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Take the new telephone, or the answer whether all is to be deleted."""
    state, reading = scene.state, scene.reading
    if state.flow is not Flow.MINE:
        return None
    if state.step is Step.CONTACT:
        if scene.intent in {Intent.CANCEL, Intent.BACK} or numbers.no(reading.text):
            return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(state))
        return _changed(scene)
    if reading.digit == 1 or numbers.yes(reading.text):
        return _erase(scene)
    if (
        reading.digit == 2
        or state.misses
        or numbers.no(reading.text)
        or scene.intent in {Intent.CANCEL, Intent.BACK}
    ):
        return scene.turn(scene.say("not_erased"), state=idle(state))
    return scene.turn(scene.say("ask_erase"), state=evolve(state, misses=1))


def _shown(scene: Scene) -> Turn | Ask:
    state, own = scene.state, scene.facts.own
    if own is None:
        return AskOwn()
    people = [case.complainant for case in own]
    names = [state.name, *(each.name for each in people)]
    phones = [state.phone, *(each.phone for each in people), scene.phone]
    name, phone = next(filter(None, names), ""), next(filter(None, phones), "")
    words = scene.say(
        "mine",
        contact=_contact(name, phone) or scene.say("mine_none"),
        count=len(own),
        draft=scene.say("mine_draft") if state.order.since is not None else "",
        pages=scene.say("mine_pages", url=f"{scene.city.pages_url.rstrip('/')}/me")
        if scene.city.pages_url
        else "",
    )
    return scene.turn(words, state=idle(state))


def _contact(name: str, phone: str) -> str:
    return " ".join(filter(None, (mask_name(name) if name else "", mask_phone(phone) if phone else "")))


def _ask_phone(scene: Scene) -> Turn:
    return scene.turn(scene.say("ask_new_phone"), state=idle(scene.state, flow=Flow.MINE, step=Step.CONTACT))


def _changed(scene: Scene) -> Turn | Ask:
    """Keep another telephone, and tell it to who handles the open cases; what a unit may not read a person changes."""
    state = scene.state
    phone = _phone_in(scene.reading.text)
    if phone is None:
        if state.flow is Flow.MINE and state.misses:
            return scene.turn(scene.say("offer_human", hotline=scene.city.hotline), state=idle(state))
        again = (
            evolve(state, misses=1)
            if state.flow is Flow.MINE
            else idle(state, flow=Flow.MINE, step=Step.CONTACT)
        )
        return scene.turn(scene.say("bad_phone"), state=again)
    if scene.facts.own is None:
        return AskOwn()
    words = f"更正联系方式：备用电话{phone}。"
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=words)
    cases = [case for case in scene.facts.own if case.stage in OPEN]
    told = [case for case in cases if _may_read(case) and scene.allows(case, command)]
    left = [case for case in cases if case not in told]
    effects = [Act(case.case_no, case.rev, command) for case in told]
    wishes = [Wished(WishKind.CORRECT, words, tuple(case.case_no for case in left))] if left else []
    said = scene.say("phone_told", phone=mask_phone(phone), count=len(told)) if told else ""
    said = said or scene.say("phone_kept", phone=mask_phone(phone))
    later = [scene.say("phone_later")] if left else []
    return scene.turn(said, *later, state=idle(state, phone=phone), effects=(*effects, *wishes))


def _phone_in(text: str) -> str | None:
    found = (valid_phone(run) for run in re.findall(r"[0-9+][0-9 \-]{6,17}[0-9]", clean(text)))
    return next(filter(None, found), None)


def _may_read(case: Case) -> bool:
    """Return whether a case's unit may read it, and takes it for nothing else (as the pages decide)."""
    return not case.secret and case.stage is not Stage.NEED_INFO


def _erase(scene: Scene) -> Turn | Ask:
    """Keep the wish for a person to settle; said twice in a day it is one."""
    state, hotline = scene.state, scene.city.hotline
    if scene.facts.own is None:
        return AskOwn()
    words = scene.say("erase_wished", hotline=hotline)
    if state.wished_at is not None and scene.now - state.wished_at <= WISHED_BEFORE:
        return scene.turn(words, state=idle(state))
    numbers_of = tuple(case.case_no for case in scene.facts.own)
    state = idle(state, wished_at=scene.now)
    return scene.turn(words, state=state, effects=(Wished(WishKind.DELETE, "", numbers_of),))
