"""自助下单: an order by guided dialogue, one question at a time, nothing asked that was said (domain.md 4.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bots import slots
from bots.contract import AskNumber, Submit
from bots.guard import soothing
from bots.intent import Intent
from bots.scene import idle
from bots.state import Order, State
from normalizer import numbers
from normalizer.case import Complainant, Matter
from normalizer.codes import KIND_LABELS, Kind, Urgency
from normalizer.draft import title_of
from normalizer.evolve import evolve
from normalizer.people import mask, mask_name, mask_phone
from normalizer.text import han_count

if TYPE_CHECKING:
    from bots.contract import Ask, Turn
    from bots.scene import Scene

ORDER, RESUME, CONSULT = "order", "resume", "consult"
REVIEW, ITEM = "review", "item"
SURE = 0.5
"""Confidence in the category above which the bot may accept by the city's list."""
SHOWN = 40
"""Characters of the matter in the read-back, so that it stays one glance."""
BEGIN_HAN = 4
"""Chinese characters that make a free message a matter rather than a word."""
STUCK = 2

_MENU_ASK, _MENU_REPORT = 1, 2
_ELSEWHERE = frozenset({Intent.PROGRESS, Intent.MENU, Intent.RATE, Intent.WITHDRAW})
"""Words that lead out of an order; it is kept and can be taken up again."""


def without_stale_order(state: State, now: datetime, hours: int) -> State:
    """Return the state without an order that was left longer than a draft is kept."""
    since = state.order.since
    if since is None or now - since <= timedelta(hours=hours):
        return state
    state = evolve(state, order=Order())
    return idle(state) if state.flow in {ORDER, RESUME} else state


def asked(scene: Scene) -> Turn | Ask | None:
    """Begin an order, or offer the one that was left unfinished."""
    menu = scene.reading.digit == _MENU_REPORT and not scene.state.flow
    if scene.intent is not Intent.REPORT and not menu:
        return None
    if _kept(scene):
        return _offer(scene)
    return _next(scene, evolve(idle(scene.state), welcomed=True, order=Order(since=scene.now)))


def greeted_back(scene: Scene) -> Turn | None:
    """Offer the unfinished order to whoever comes back with a greeting."""
    return (
        _offer(scene) if scene.intent is Intent.GREETING and not scene.state.flow and _kept(scene) else None
    )


def resumed(scene: Scene) -> Turn | Ask | None:
    """Take up the order that was left, or drop it."""
    if scene.state.flow != RESUME:
        return None
    if scene.reading.digit == 1 or numbers.yes(scene.reading.text):
        return _next(scene, evolve(scene.state, flow=ORDER, step=""))
    if (
        scene.reading.digit == 2
        or numbers.no(scene.reading.text)
        or scene.intent in {Intent.CANCEL, Intent.RESTART}
    ):
        return _next(scene, evolve(idle(scene.state), order=Order(since=scene.now)))
    return _offer(scene)


def consult(scene: Scene) -> Turn | Ask | None:
    """Take a question: until there is a knowledge base it can be registered or put to a person."""
    if scene.state.flow == CONSULT:
        return _consulting(scene)
    if scene.intent is Intent.ASK or (scene.reading.digit == _MENU_ASK and not scene.state.flow):
        state = evolve(idle(scene.state), welcomed=True, flow=CONSULT)
        return scene.turn(scene.say("ask_question"), state=state)
    kind, _ = scene.reading.kind()
    if (
        scene.state.flow
        or kind not in {Kind.INQUIRY, Kind.GUIDANCE}
        or han_count(scene.reading.text) < BEGIN_HAN
    ):
        return None
    return _unanswered(scene)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the order that is open."""
    if scene.state.flow != ORDER or scene.intent in _ELSEWHERE:
        return None
    match scene.intent:
        case Intent.GREETING:
            return _offer(scene) if scene.state.order.text else _next(scene, scene.state)
        case Intent.CANCEL:
            return scene.turn(scene.say("cancelled"), state=evolve(idle(scene.state), order=Order()))
        case Intent.RESTART:
            state = evolve(idle(scene.state), order=Order(since=scene.now))
            return _next(scene, state, scene.say("restarted"))
        case Intent.BACK:
            return _back(scene)
        case _:
            return _answered(scene)


def begun(scene: Scene) -> Turn | Ask | None:
    """Take a free message, a photo or a place for the beginning of an order."""
    reading = scene.reading
    matter = han_count(reading.text) >= BEGIN_HAN or reading.attachments or reading.place
    if scene.state.flow or not matter or reading.digit is not None:
        return None
    if _kept(scene) and not reading.text:
        return _offer(scene)
    order = slots.absorb(Order(since=scene.now), reading, scene)
    state = evolve(idle(scene.state), welcomed=True, order=order)
    soothe = soothing(scene)
    return _next(scene, evolve(state, insults=state.insults + bool(soothe)), soothe)


def _kept(scene: Scene) -> bool:
    order = scene.state.order
    fresh = order.since is not None and scene.now - order.since <= timedelta(hours=scene.city.draft_hours)
    return fresh and bool(order.text)


def _offer(scene: Scene) -> Turn:
    words = scene.say("kept_order", text=mask(scene.state.order.text)[:20])
    return scene.turn(words, state=evolve(idle(scene.state), flow=RESUME, welcomed=True))


def _consulting(scene: Scene) -> Turn | Ask:
    state, reading = scene.state, scene.reading
    if reading.digit == 1 and state.collected:
        order = evolve(
            Order(since=scene.now), text=f"咨询：{state.collected}", kind=Kind.INQUIRY.value, brief=True
        )
        return _next(scene, evolve(idle(state), order=order))
    if reading.digit == 2 or scene.intent is Intent.ASK:
        return scene.turn(scene.say("ask_question"), state=evolve(state, collected=""))
    if scene.intent in {Intent.CANCEL, Intent.BACK, Intent.MENU}:
        return scene.turn(scene.say("menu"), state=idle(state))
    return (
        _unanswered(scene)
        if not reading.empty and reading.digit is None
        else scene.turn(scene.say("ask_question"))
    )


def _unanswered(scene: Scene) -> Turn:
    state = evolve(idle(scene.state), welcomed=True, flow=CONSULT, collected=scene.reading.text)
    return scene.turn(scene.say("no_answer"), state=state)


def _answered(scene: Scene) -> Turn | Ask:
    state = scene.state
    if state.step == REVIEW:
        return _reviewed(scene)
    if state.step == ITEM:
        return _chosen_item(scene)
    order, problem = slots.take(state.step, state.order, scene)
    if problem:
        misses = state.misses + 1
        words = scene.say("stuck") if misses >= STUCK else problem
        return scene.turn(words, state=evolve(state, misses=0 if misses >= STUCK else misses))
    if order is state.order:
        return scene.turn()
    if state.step == slots.MATERIALS and not order.materials:
        more = not state.order.attachments
        told = (scene.say("got_materials", count=len(order.attachments)),) if more else ()
        return scene.turn(*told, state=evolve(state, order=order))
    return _next(scene, evolve(state, order=order, misses=0))


def _next(scene: Scene, state: State, *before: str) -> Turn:
    """Ask the next open slot, or read the order back."""
    order = state.order
    step = slots.first_open(order, scene, elderly=state.elderly)
    state = evolve(state, flow=ORDER, step=step or REVIEW, editing=False)
    words = scene.say(slots.question(step, order)) if step else _read_back(scene, order)
    return scene.turn(*(word for word in before if word), words, state=state)


def _back(scene: Scene) -> Turn:
    earlier = slots.before(scene.state.step, scene.state.order, scene, elderly=scene.state.elderly)
    if earlier is None:
        return scene.turn(scene.say("cancelled"), state=evolve(idle(scene.state), order=Order()))
    return _next(scene, evolve(scene.state, order=slots.cleared(scene.state.order, earlier)))


def _read_back(scene: Scene, order: Order) -> str:
    contact = f"{mask_name(order.name)} {mask_phone(order.phone)}".strip() if order.phone else "未留"
    return scene.say(
        "review",
        kind=KIND_LABELS[Kind(order.kind or Kind.HELP)],
        place=order.place or ("已发定位" if order.lon is not None else "未填"),
        text=mask(order.text)[:SHOWN] + ("…" if len(order.text) > SHOWN else ""),
        contact=contact,
        secret="是" if order.secret else "否",
    )


def _reviewed(scene: Scene) -> Turn | Ask:
    reading = scene.reading
    if reading.digit == 1 or numbers.yes(reading.text):
        return _submitted(scene)
    if reading.digit == 2 or "修改" in reading.text or reading.text == "改":
        return scene.turn(scene.say("ask_item"), state=evolve(scene.state, step=ITEM))
    if reading.attachments:
        order = evolve(scene.state.order, attachments=scene.state.order.attachments + reading.attachments)
        return scene.turn(_read_back(scene, order), state=evolve(scene.state, order=order))
    return scene.turn(_read_back(scene, scene.state.order))


def _chosen_item(scene: Scene) -> Turn:
    slot = slots.ITEMS.get(scene.reading.digit or 0)
    if slot is None:
        return scene.turn(scene.say("ask_item"))
    order = slots.cleared(scene.state.order, slot)
    words = scene.say(slots.question(slot, order))
    return scene.turn(words, state=evolve(scene.state, order=order, step=slot, editing=True))


def _submitted(scene: Scene) -> Turn | Ask:
    number = scene.facts.number
    if number is None:
        return AskNumber()
    order, city = scene.state.order, scene.city
    accept = order.category in city.acceptable and Kind(order.kind or Kind.HELP) in {
        Kind.HELP,
        Kind.COMPLAINT,
    }
    key = "done_quiet" if order.reply_by == slots.NONE else "done_accepted" if accept else "done"
    words = scene.say(
        key,
        case_no=number.case_no,
        code=number.query_code,
        hours=city.accept_hours,
        channel=scene.say(f"via_{order.reply_by or slots.WECHAT}"),
    )
    effect = Submit(number, _complainant(scene, order), _matter(order), bool(order.secret), accept)
    state = evolve(idle(scene.state), order=Order(), target=number.case_no)
    return scene.turn(words, state=state, effects=(effect,))


def _complainant(scene: Scene, order: Order) -> Complainant:
    return Complainant(
        name=order.name,
        phone=order.phone,
        openid="" if order.phone else "bound",
        need_reply=order.reply_by != slots.NONE,
        channel_pref=order.reply_by,
        lang=scene.state.lang,
        tags=("老年人",) if scene.state.elderly else (),
    )


def _matter(order: Order) -> Matter:
    return Matter(
        kind=Kind(order.kind or Kind.HELP),
        title=title_of(order.text),
        content=mask(order.text),
        original=order.text,
        occurred=order.when,
        place_text=order.place,
        lon=order.lon,
        lat=order.lat,
        category=order.category,
        demand=order.demand,
        attachments=order.attachments,
        urgency=Urgency.NORMAL,
    )
