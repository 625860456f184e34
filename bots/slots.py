"""The slots of an order: when each is open, how it is asked, and what counts as its answer (domain.md 4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from bots.shape import ANONYMOUS, shape_of, vague
from bots.state import Order, Step
from normalizer import numbers
from normalizer.classify import category_of, kind_of
from normalizer.codes import Kind
from normalizer.evolve import evolve, make
from normalizer.message import PartKind
from normalizer.people import PersonalKind, mask, mask_name, mask_phone, name_in
from normalizer.text import for_matching, han_count
from normalizer.tone import Tone

if TYPE_CHECKING:
    from bots.scene import Scene
    from normalizer.case import Attachment
    from normalizer.draft import CaseDraft

WECHAT, NONE = "wechat", "none"
MIN_HAN, MIN_WORDS = 8, 4
"""Chinese characters a matter needs (domain.md 2.1, "Mandatory"), and words where it is told in a Latin script."""
_LATIN = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
SURE_KIND, SURE_PLAIN_KIND = 0.6, 0.4
"""Confidence from which the kind is not asked, and the same for help and complaint, which go the same way: it is read back."""
LIKELY_CATEGORY = 0.5
SURE_CATEGORY = 0.6
"""Confidence from which the bot may accept by the city's list: one word that names the matter, and none against it."""
PLACE_LENGTH, TEXT_LENGTH, DEMAND_LENGTH, WHEN_LENGTH = 100, 2000, 200, 50

NAME_HAN, NAME_LENGTH = 6, 12
"""How long a name is that was asked for and may be anything: 欧阳女士, 3号楼老王."""

WHENS = {1: "现在", 2: "今天", 3: "近几天", 4: "长期存在"}
KINDS = {1: Kind.INQUIRY, 2: Kind.HELP, 3: Kind.COMPLAINT, 4: Kind.REPORT, 5: Kind.SUGGESTION}
REPLIES = {1: WECHAT, 2: "sms", 3: "phone", 4: NONE}
ITEMS = {1: Step.KIND, 2: Step.PLACE, 3: Step.TEXT, 4: Step.CONTACT, 5: Step.SECRET}
"""The items of the read-back that can be changed, by their number."""
ITEM_WORDS = {
    "类型": Step.KIND,
    "类别": Step.KIND,
    "地点": Step.PLACE,
    "地址": Step.PLACE,
    "位置": Step.PLACE,
    "内容": Step.TEXT,
    "时间": Step.WHEN,
    "诉求": Step.DEMAND,
    "联系": Step.CONTACT,
    "电话": Step.CONTACT,
    "手机": Step.CONTACT,
    "称呼": Step.CONTACT,
    "姓名": Step.CONTACT,
    "名字": Step.CONTACT,
    "保密": Step.SECRET,
}

_WECHAT_SOURCES = frozenset({"05", "06"})
_PHONES = frozenset({PersonalKind.PHONE, PersonalKind.LANDLINE})
_NO_EVENT = frozenset({Kind.INQUIRY, Kind.GUIDANCE, Kind.SUGGESTION, Kind.PRAISE})
"""Kinds in which nothing has happened, at no place, that could be put right."""
_PLAIN_KINDS = frozenset({Kind.HELP, Kind.COMPLAINT})
_NAMED_HAN, _PLAIN_HAN = 2, 6
"""Chinese characters that tell a matter whose category is plain, and any other, once it is known where."""
_TIMELY = re.compile(
    "[年月日号天周时点早晚夜午春夏秋冬节假今昨前每半几]|刚|最近|长期|一直|经常|总是|以来|多久|现在|目前|很久"
)
"""One of these is in every time that people name."""
_MORE_HAN = 3
"""Chinese characters from which words that answer nothing may belong to the matter."""
_OF_CONTACT = re.compile("电话|手机|号码|联系|姓名|名字|称呼")
"""What is said about being asked who one is belongs to no matter."""
_WAITING = re.compile("等|稍|马上|正在|我拍|去拍|找找")
_DONE, _DONE_LENGTH = ("完", "没", "好了", "就这些"), 6
"""Words that end the sending of photos, in an answer no longer than this."""
_GOES_ON_HAN = 4
"""Chinese characters from which somebody who was asked for photos goes on telling instead."""
_SENTENCE_HAN = 5
_PREDICATE = re.compile("[了没不吗]|怎么|为什么|谁")
"""So long, and with one of these, an answer without a place is a sentence rather than a place."""
_CLAUSE = re.compile("[，,。；;\n]")
_DEMAND = re.compile(
    "(?:希望|要求|恳请|请求|盼望|诉求是|请(?:尽快|赶紧|马上|有关|相关|帮|派|给))(?:(?![，,；; ]*(?:我[叫姓]|本人|姓名|联系|电话|手机))[^。！!？?\n]){2,80}"
)
_DISCREET = re.compile("保密|匿名|别(?:让|告诉)[^，。]{0,8}知道|不要(?:透露|泄露|公开)")
_OPEN_BOOK = re.compile("不(?:用|需要|必|要)保密|无需保密")
_UNKNOWN = re.compile(
    "(?:我?(?:也)?(?:不|没)(?:太)?(?:知道|清楚|确定|晓得)|忘了?|记不清|说不清|随便|都行|不(?:敢|想|愿意?)说)(?:了|吧|啊)?"
)

Taken = tuple[Order, str]
"""The order with the answer in it, and what to say when the message was no answer (empty when it was)."""


def enough(text: str) -> bool:
    """Return whether words tell a matter: so many Chinese characters, or so many words of a Latin script."""
    return han_count(text) >= MIN_HAN or len(_LATIN.findall(text)) >= MIN_WORDS


def worded(order: Order) -> str:
    """Return a matter in the words in which it is submitted: few words with their place."""
    place = "" if order.place == UNTOLD or order.place in order.text else order.place
    return f"{order.text}（地点：{place}）" if place and not enough(order.text) else order.text


def first_open(order: Order, scene: Scene, *, elderly: bool) -> Step | None:
    """Return the first slot still to be asked, None when the order can be read back."""
    if scene.sms:
        return next((slot for slot, is_open in _OPEN_SMS.items() if is_open(order, scene)), None)
    brief = elderly or order.brief
    return next((slot for slot, is_open in _OPEN.items() if is_open(order, scene, brief)), None)


def before(step: Step, order: Order, scene: Scene, *, elderly: bool) -> Step | None:
    """Return the slot asked before ``step``, None at the beginning."""
    brief = elderly or order.brief
    slots = list(_OPEN)
    earlier = slots[: slots.index(step)] if step in _OPEN else slots
    if order.kind is not None and order.kind is _derived(for_matching(order.text)):
        earlier = [slot for slot in earlier if slot is not Step.KIND]
    return next((slot for slot in reversed(earlier) if _OPEN[slot](cleared(order, slot), scene, brief)), None)


def question(slot: Step, order: Order, scene: Scene) -> str:
    """Return a slot's question; for a slot that is only half filled, for the other half."""
    state = scene.state
    if slot is Step.TEXT and not state.editing and (order.text or only_spoken(order.attachments)):
        return scene.say("ask_more" if order.text else "got_voice")
    if slot is Step.CONTACT and order.name and not order.phone:
        return scene.say("ask_phone")
    if slot is Step.CONTACT and state.phone and not order.phone:
        return scene.say("ask_contact_known", contact=contact(state.name, state.phone))
    return scene.say(f"ask_{slot}")


def only_spoken(attachments: tuple[Attachment, ...]) -> bool:
    """Return whether all that came is speech, which nobody has written down yet."""
    return bool(attachments) and all(each.kind == PartKind.VOICE for each in attachments)


def corrected(order: Order, reading: CaseDraft) -> Order:
    """Return the order with what a message at the read-back puts right by its looks; else itself."""
    if reading.place is not None:
        return evolve(order, place=_place(reading), lon=reading.place.lon, lat=reading.place.lat)
    order, text = _contact(order, reading), mask(reading.text)
    match shape_of(reading):
        case Step.PLACE:
            return evolve(order, place=text[:PLACE_LENGTH], lon=None, lat=None)
        case Step.WHEN:
            return evolve(order, when=text[:WHEN_LENGTH])
        case Step.DEMAND:
            return evolve(order, demand=text[:DEMAND_LENGTH])
        case Step.CONTACT:
            return _person(order, reading)
        case _:
            return order


def contact(name: str, phone: str) -> str:
    """Return name and number as they may be repeated: masked."""
    return f"{mask_name(name) if name else ''} {mask_phone(phone)}".strip()


def cleared(order: Order, slot: Step) -> Order:
    """Return the order with one slot open again."""
    return evolve(order, **_CLEAR[slot])


def take(slot: Step, order: Order, scene: Scene) -> Taken:
    """Return the order with a message taken as the answer to a slot; a number to call is taken wherever it comes."""
    if scene.sms and slot is Step.CONTACT:
        return _take_name(order, scene.reading), ""
    if slot is not Step.CONTACT:
        order = _contact(order, scene.reading)
    if slot is not Step.PLACE and (there := scene.reading.place) is not None:
        # Where it is may be shown at any question.
        order = evolve(order, place=order.place or _place(scene.reading), lon=there.lon, lat=there.lat)
    begun = slot is Step.TEXT and order.text and not scene.state.editing
    other = _elsewhere(slot, order, scene) if not scene.sms and (begun or slot in _TALKED) else None
    if other is None:
        return _TAKE[slot](order, scene)
    return other, "" if begun and not _text_open(other, scene, True) else question(slot, other, scene)


_TALKED = frozenset({Step.PLACE, Step.WHEN, Step.DEMAND, Step.KIND, Step.CONTACT})
"""Questions whose answers may be anything that people say."""


def _elsewhere(slot: Step, order: Order, scene: Scene) -> Order | None:
    """Return the order with a message that answers another question than the one that was put; None when it does not."""
    reading = scene.reading
    shape = shape_of(reading)
    if shape in (None, slot):
        return None
    text = mask(reading.text)
    match shape:
        case Step.PLACE:
            return _placed(order, text)
        case Step.WHEN if not order.when or order.when == UNTOLD:
            return evolve(order, when=text[:WHEN_LENGTH])
        case Step.DEMAND if not order.demand or order.demand == UNTOLD:
            return evolve(order, demand=reading.text[:DEMAND_LENGTH])
        case Step.CONTACT:
            return _person(order, reading)
        case _:
            return more(order, reading)


def _placed(order: Order, text: str) -> Order:
    """Return the order with a place that was told after another: it is more exact, says the same, or narrows it down."""
    known = "" if order.place == UNTOLD else order.place
    if text in known:
        return order
    place = text if known in text else f"{known}，{text}"
    return evolve(order, place=place[:PLACE_LENGTH])


def _person(order: Order, reading: CaseDraft) -> Order:
    """Return the order with how somebody is called, or that he will not say it."""
    if ANONYMOUS.search(reading.text):
        return evolve(order, name="", phone="", anonymous=True, secret=True)
    return evolve(order, name=name_in(reading.text) or order.name)


def more(order: Order, reading: CaseDraft) -> Order:
    """Return the order with words that answer nothing, but belong to the matter."""
    text = reading.text
    said = (
        han_count(text) >= _MORE_HAN
        and text not in order.text
        and not (numbers.yes(text) or _no_answer(reading))
    )
    if reading.empty or reading.digit is not None or not said or reading.findings():
        return order
    return evolve(order, text=f"{order.text}，{reading.text}".strip("，")[:TEXT_LENGTH])


def fresh(scene: Scene) -> Order:
    """Return an order of which nothing is known but what the channel tells: the number of who writes by SMS."""
    return make(Order, since=scene.now, phone=scene.phone)


def skipped(order: Order, slot: Step) -> Order:
    """Return the order with a slot left to the agents, or the same order when it cannot do without."""
    if slot is Step.PLACE and not order.category:
        return evolve(order, place=UNTOLD)
    return evolve(order, **_LEFT_OPEN[slot]) if slot in _LEFT_OPEN else order


def absorb(order: Order, reading: CaseDraft, scene: Scene) -> Order:
    """Return the order with everything a free message tells; it is what the matter is about."""
    category, certain = reading.category()
    order = _also(order, reading, scene)
    order = evolve(
        order,
        text=reading.text,
        kind=order.kind or _derived(reading.matching),
        category=category if certain >= LIKELY_CATEGORY else "",
        sure=certain >= SURE_CATEGORY,
    )
    if scene.facts.sender:
        # The number or address is known, so a name without one is of use.
        order = evolve(order, name=order.name or name_in(reading.text, asked=False) or "")
    # Whoever says where and leaves a number has said what he wants to say: it is read back at once.
    located = bool(order.place) or order.lon is not None
    return evolve(order, brief=True) if order.phone and located else order


def added(order: Order, reading: CaseDraft, scene: Scene) -> Order:
    """Return the order with what was said besides: its words go with the matter, and fill what they tell of."""
    return evolve(_also(order, reading, scene), text=f"{order.text}，{reading.text}"[:TEXT_LENGTH])


def _derived(matching: str) -> Kind | None:
    """Return the kind that need not be asked: what is plainly about something, and asks and suggests nothing, wants help."""
    code, sure = kind_of(matching)
    if code == Kind.OTHER:
        return Kind.HELP if category_of(matching)[1] >= SURE_CATEGORY else None
    kind = Kind(code)
    return kind if sure >= (SURE_PLAIN_KIND if kind in _PLAIN_KINDS else SURE_KIND) else None


def _also(order: Order, reading: CaseDraft, scene: Scene) -> Order:
    """Fill the slots that an answer to another one answers too."""
    text = reading.text
    when = None if order.when else reading.when(scene.now)
    demand = None if order.demand else _DEMAND.search(text)
    order = _contact(order, reading)
    return evolve(
        order,
        place=order.place or _place(reading),
        lon=reading.place.lon if reading.place else order.lon,
        lat=reading.place.lat if reading.place else order.lat,
        when=order.when or (when.text if when else ""),
        demand=order.demand or (demand.group() if demand else ""),
        secret=_secrecy(text) if order.secret is None else order.secret,
    )


def _place(reading: CaseDraft) -> str:
    if reading.place is not None:
        return mask(reading.place.text)[:PLACE_LENGTH]
    place = reading.place_text() or ""
    return "" if vague(place) else place[:PLACE_LENGTH]


def _secrecy(text: str) -> bool | None:
    if _OPEN_BOOK.search(text):
        return False
    return True if _DISCREET.search(text) else None


def _contact(order: Order, reading: CaseDraft) -> Order:
    phone = next((f.value for f in reading.findings() if f.kind in _PHONES), "")
    if not phone:
        return order
    return evolve(order, phone=phone, name=name_in(reading.text) or order.name, anonymous=False)


Openness = Callable[[Order, "Scene", bool], bool]


def _text_open(order: Order, scene: Scene, brief: bool) -> bool:  # noqa: ARG001, FBT001
    if enough(order.text):
        return False
    # Few characters tell it where the category is plain; the place makes them enough (domain.md 2.1, "Mandatory").
    told = han_count(order.text) >= (_NAMED_HAN if order.category else _PLAIN_HAN)
    return not told or bool(order.place and not enough(worded(order)))


def _place_open(order: Order, scene: Scene, brief: bool) -> bool:  # noqa: ARG001, FBT001
    if order.place or order.lon is not None:
        return False
    if order.category:
        return order.category in scene.city.place_categories
    return order.kind not in _NO_EVENT


def _reply_open(order: Order, scene: Scene, brief: bool) -> bool:  # noqa: FBT001
    return not (order.reply_by or brief or order.anonymous) and scene.facts.source in _WECHAT_SOURCES


_OPEN: dict[Step, Openness] = {
    Step.TEXT: _text_open,
    Step.PLACE: _place_open,
    Step.WHEN: lambda order, scene, brief: not (order.when or brief or order.kind in _NO_EVENT),
    Step.DEMAND: lambda order, scene, brief: not (order.demand or brief or order.kind in _NO_EVENT),
    Step.KIND: lambda order, scene, brief: order.kind is None and not brief,
    Step.CONTACT: lambda order, scene, brief: not order.phone and not order.anonymous,
    Step.SECRET: lambda order, scene, brief: order.secret is None and order.kind is Kind.REPORT,
    Step.REPLY: _reply_open,
    Step.MATERIALS: lambda order, scene, brief: not (order.materials or brief or order.attachments),
}
"""The slots in the order in which they are asked."""

_OPEN_SMS: dict[Step, Callable[[Order, Scene], bool]] = {
    Step.TEXT: lambda order, scene: Step.TEXT not in order.asked and not enough(order.text),
    Step.PLACE: lambda order, scene: Step.PLACE not in order.asked and _place_open(order, scene, True),
    Step.CONTACT: lambda order, scene: not (Step.CONTACT in order.asked or order.name or order.anonymous),
}
"""By SMS at most three things are asked, each once (domain.md 4.4); the number to call is the sender's."""

SLOTS = frozenset(_OPEN)

_CLEAR: dict[Step, dict[str, object]] = {
    Step.TEXT: {"text": ""},
    Step.PLACE: {"place": "", "lon": None, "lat": None},
    Step.WHEN: {"when": ""},
    Step.DEMAND: {"demand": ""},
    Step.KIND: {"kind": None},
    Step.CONTACT: {"name": "", "phone": "", "anonymous": False},
    Step.SECRET: {"secret": None},
    Step.REPLY: {"reply_by": ""},
    Step.MATERIALS: {"materials": False},
}


UNTOLD = "未说明"
_LEFT_OPEN: dict[Step, dict[str, object]] = {
    Step.WHEN: {"when": UNTOLD},
    Step.DEMAND: {"demand": UNTOLD},
    Step.KIND: {"kind": Kind.HELP},
    Step.REPLY: {"reply_by": WECHAT},
    Step.MATERIALS: {"materials": True},
}
"""What stands for a slot that was not answered; the others are mandatory (domain.md 2.1), the place by the category."""


def _take_text(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    if reading.empty or reading.digit is not None or _no_answer(reading):
        return order, question(Step.TEXT, order, scene)
    earlier = "" if scene.state.editing else order.text
    told = absorb(order, reading, scene)
    if not earlier:
        return told, ""
    known = order.category if order.sure or not told.category else told.category
    text = f"{earlier}，{reading.text}"[:TEXT_LENGTH]
    return evolve(told, text=text, category=known, sure=order.sure or told.sure), ""


def _take_place(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    if reading.place is not None:
        return corrected(order, reading), ""
    if reading.empty or reading.digit is not None or _no_answer(reading):
        return order, scene.say("ask_place")
    named = reading.place_text()
    if _tells(reading, named):
        # It is no place but what happened: nothing of it is lost, and the place is still to be told.
        return more(_also(order, reading, scene), reading), scene.say("ask_place")
    if vague(reading.text) and not (order.place or scene.sms):
        return evolve(order, place=mask(reading.text)[:PLACE_LENGTH]), scene.say("ask_place_named")
    several = reading.findings() or _CLAUSE.search(reading.text)
    named = (several and named) or mask(reading.text)
    if order.place and vague(order.place) and not scene.state.editing:
        named = f"{order.place}，{named}"
    return _also(evolve(order, place=named[:PLACE_LENGTH], lon=None, lat=None), reading, scene), ""


def _take_when(order: Order, scene: Scene) -> Taken:
    digit, text = scene.reading.digit, scene.reading.text
    if digit in WHENS:
        return evolve(order, when=WHENS[digit]), ""
    if digit is not None or scene.reading.empty:
        return order, scene.say("ask_when")
    if _no_answer(scene.reading):
        return skipped(order, Step.WHEN), ""
    order = _also(order, scene.reading, scene)
    if not order.when and not _TIMELY.search(text):
        return more(order, scene.reading), scene.say("ask_when")
    several = order.when and _CLAUSE.search(text)
    return (order if several else evolve(order, when=mask(text)[:WHEN_LENGTH])), ""


def _take_demand(order: Order, scene: Scene) -> Taken:
    if scene.reading.empty or scene.reading.digit is not None:
        return order, scene.say("ask_demand")
    if _no_answer(scene.reading):
        return skipped(order, Step.DEMAND), ""
    return _also(evolve(order, demand=scene.reading.text[:DEMAND_LENGTH]), scene.reading, scene), ""


def _take_kind(order: Order, scene: Scene) -> Taken:
    digit = scene.reading.digit
    if digit in KINDS:
        return evolve(order, kind=KINDS[digit]), ""
    if _UNKNOWN.fullmatch(scene.reading.matching):
        return skipped(order, Step.KIND), ""
    kind, _ = scene.reading.kind()
    if digit is not None or kind == Kind.OTHER:
        return more(order, scene.reading), scene.say("ask_kind")
    return evolve(order, kind=Kind(kind)), ""


def _take_contact(order: Order, scene: Scene) -> Taken:
    reading, state = scene.reading, scene.state
    if state.phone and (reading.digit == 1 or numbers.yes(reading.text)):
        return evolve(order, name=state.name, phone=state.phone, anonymous=False), ""
    told = _contact(evolve(order, phone=""), reading)
    if told.phone:
        return told, ""
    if ANONYMOUS.search(reading.text):
        return evolve(order, name="", phone="", anonymous=True, secret=True), ""
    if sum(c.isdigit() for c in reading.text) >= 5:
        return order, scene.say("bad_phone")
    name = None if reading.empty or _no_answer(reading) else name_in(reading.text)
    if name and name != order.name:
        return evolve(order, name=name), ""
    told = order if _OF_CONTACT.search(reading.text) else more(order, reading)
    return told, question(Step.CONTACT, told, scene)


def _take_name(order: Order, reading: CaseDraft) -> Order:
    """Return the order with how somebody wants to be called, as told by SMS."""
    if ANONYMOUS.search(reading.text):
        return evolve(order, name="", phone="", anonymous=True, secret=True)
    order = _contact(order, reading)
    if shape_of(reading) is Step.PLACE or vague(reading.text):
        # Where it is, said late; nothing is asked twice by SMS.
        return _placed(order, mask(reading.text))
    short = reading.text if 0 < han_count(reading.text) <= NAME_HAN and not _no_answer(reading) else ""
    return evolve(order, name=name_in(reading.text) or order.name or mask(short)[:NAME_LENGTH])


def _take_secret(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    if reading.digit == 2 or _OPEN_BOOK.search(reading.text) or numbers.no(reading.text):
        return evolve(order, secret=False), ""
    if reading.digit == 1 or numbers.yes(reading.text) or _DISCREET.search(reading.text):
        return evolve(order, secret=True), ""
    return order, scene.say("ask_secret")


def _take_reply(order: Order, scene: Scene) -> Taken:
    digit, text = scene.reading.digit, scene.reading.matching
    if digit in REPLIES:
        return evolve(order, reply_by=REPLIES[digit]), ""
    if digit is None and numbers.no(text):
        return evolve(order, reply_by=NONE), ""
    named = next((way for word, way in _WAYS.items() if word in text), "")
    return (evolve(order, reply_by=named) if named else order), ("" if named else scene.say("ask_reply"))


_WAYS = {"不用": NONE, "不需要": NONE, "微信": WECHAT, "短信": "sms", "电话": "phone"}


def _take_materials(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    text = reading.text
    ends = reading.digit in {1, 2} or numbers.no(text) or numbers.yes(text)
    if ends or (len(text) <= _DONE_LENGTH and any(word in text for word in _DONE)):
        return evolve(order, materials=True), ""
    if reading.digit is None and han_count(text) >= _GOES_ON_HAN and not _WAITING.search(text):
        # Whoever goes on telling has no photos to send.
        return more(evolve(order, materials=True), reading), ""
    return order, scene.say("ask_materials")


def _tells(reading: CaseDraft, place: str | None) -> bool:
    """Return whether an answer tells what happened, rather than where."""
    if place:
        return False
    sentence = han_count(reading.text) >= _SENTENCE_HAN and _PREDICATE.search(reading.text) is not None
    return sentence or reading.kind()[0] != Kind.OTHER or reading.tone is not Tone.CALM


def _no_answer(reading: CaseDraft) -> bool:
    return numbers.no(reading.text) or _UNKNOWN.fullmatch(reading.matching) is not None


_TAKE: dict[Step, Callable[[Order, Scene], Taken]] = {
    Step.TEXT: _take_text,
    Step.PLACE: _take_place,
    Step.WHEN: _take_when,
    Step.DEMAND: _take_demand,
    Step.KIND: _take_kind,
    Step.CONTACT: _take_contact,
    Step.SECRET: _take_secret,
    Step.REPLY: _take_reply,
    Step.MATERIALS: _take_materials,
}
