"""自助下单: an order by guided dialogue, one question at a time, nothing asked that was said (domain.md 4.2)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bots import again, slots
from bots.contract import AskNumber, AskOwn, Handoff
from bots.guard import safety, soothing
from bots.intent import Intent
from bots.scene import idle
from bots.state import Flow, Order, State, Step
from bots.submission import submission
from normalizer import numbers
from normalizer.case import OPEN, Stage
from normalizer.codes import KIND_LABELS, Kind
from normalizer.evolve import evolve
from normalizer.people import mask
from normalizer.scope import beyond
from normalizer.text import for_matching, han_count
from normalizer.tone import Tone, tone

if TYPE_CHECKING:
    from bots.contract import Ask, NewNumber, Submit, Turn
    from bots.scene import Scene
    from normalizer.case import Case
    from normalizer.draft import CaseDraft

TEXT_SHOWN, PLACE_SHOWN = 32, 30
TEXT_SHOWN_ELDERLY, PLACE_SHOWN_ELDERLY = 24, 14
"""Characters in the read-back, so that it stays one glance."""
KEPT_SHOWN = 20
BEGIN_HAN = 4
"""Chinese characters that make a free message a matter rather than a word."""
BEGIN_HAN_PLAIN = 2
"""The same where a word tells what it is about, and by SMS, where whatever is no command is a matter (domain.md 4.4)."""
MATTER_HAN = 8
"""Chinese characters that make it one beyond doubt, whatever was being asked."""
STUCK = 2
BURST = timedelta(seconds=60)
"""Photos that follow one another so closely are one answer."""
DOUBLE_TAP = timedelta(minutes=2)
SENTENCE = timedelta(minutes=10)
"""How long the beginning of a sentence is remembered."""
_INSISTS = re.compile(
    "y|yes|(?:我|就|仍然?|还|是|要|需要|想|得|的|确认|提交|继续|反映|投诉|举报|登记|受理|办理?|请)+[吧啊呀。.!！]*"
)
_GO_ON = re.compile("(?:好的?|那)?[，, ]*(?:继续|接着)(?:填写?|写|说|报|反映|刚才的)?(?:吧|啊)?[。.!！]*")
AWAY = timedelta(hours=2)
"""A silence after which the open question is forgotten and the order is offered again."""

_MENU_REPORT = 2
_QUESTIONS = frozenset({Kind.INQUIRY, Kind.GUIDANCE})
_CHANNELS = {"05": "wechat", "06": "wechat", "02": "sms", "03": "email"}
_CHANGE = re.compile(
    "(?:修?改|更改|换)(?:一下)?(?:第)?([1-5一二三四五])?(?:项|个|条)?(.*)|(.*?)(?:错了|不对|写错|要改|改一下)(.*)"
)
_WRONG = re.compile(
    f"(?:({'|'.join(slots.ITEM_WORDS)})(?:方式|号码?)?(?:是|好像|我)?)?(?:写|填|发|说|选|弄|打|搞)?(?:错|不对|有误)了?[啊呀吧。.!！]*"
)
"""Somebody sees that he said something wrong, and perhaps what."""
_NUMERALS = {c: n for n, c in enumerate("一二三四五", 1)}


def without_stale_order(state: State, now: datetime, hours: int) -> State:
    """Return the state without an order that was left longer than a draft is kept."""
    since = state.order.since
    if since is None or (now - since).total_seconds() <= hours * 3600:
        return state
    state = evolve(state, order=Order())
    return idle(state) if state.flow in {Flow.ORDER, Flow.RESUME} else state


def is_matter(reading: CaseDraft) -> bool:
    """Return whether a message is a matter of its own beyond doubt, whatever was being asked."""
    return reading.digit is None and han_count(reading.text) >= MATTER_HAN


def is_question(reading: CaseDraft) -> bool:
    """Return whether a message asks for information rather than for help; "怎么回事" in anger asks for none."""
    kind, sure = reading.kind()
    if kind not in _QUESTIONS or sure < slots.LIKELY_CATEGORY:
        return False
    return reading.tone in (Tone.CALM, Tone.UPSET) or bool(reading.category()[0])


def asked(scene: Scene) -> Turn | Ask | None:
    """Begin an order, or offer the one that was left unfinished."""
    menu = scene.reading.digit == _MENU_REPORT and scene.state.flow is Flow.NONE
    if scene.intent is not Intent.REPORT and not menu:
        return None
    return _offer(scene) if _kept(scene) else _next(scene, _anew(scene))


def greeted_back(scene: Scene) -> Turn | None:
    """Offer the unfinished order to whoever comes back with a greeting."""
    greets = scene.intent is Intent.GREETING and scene.state.flow is Flow.NONE
    return _offer(scene) if greets and _kept(scene) else None


def continued(scene: Scene) -> Turn | Ask | None:
    """Go on with the order that was left for something else, where somebody says so."""
    goes_on = _GO_ON.fullmatch(scene.reading.matching) is not None
    return _next(scene, evolve(scene.state, collected="", misses=0)) if goes_on and _kept(scene) else None


def reminded(scene: Scene, done: Turn) -> Turn:
    """Return a turn that says too that the order which it interrupted is kept."""
    state = scene.state
    lately = state.at is not None and scene.now - state.at <= AWAY
    if scene.sms or done.state.flow is not Flow.NONE or not (lately and _kept(scene)):
        return done
    return scene.turn(*done.replies, scene.say("kept_aside"), state=done.state, effects=done.effects)


def unsent(scene: Scene) -> Turn | None:
    """Offer the unfinished order to whoever asks after a case and has none: he may think that he sent it."""
    return _offer(scene) if _kept(scene) and not scene.sms else None


def resumed(scene: Scene) -> Turn | Ask | None:
    """Take up the order that was left, or drop it."""
    state, reading = scene.state, scene.reading
    if state.flow is not Flow.RESUME:
        return None
    if reading.digit == 1 or numbers.yes(reading.text):
        return _next(scene, evolve(state, collected="", misses=0))
    if reading.digit == 2 or numbers.no(reading.text) or scene.intent is Intent.CANCEL:
        return _dropped(scene)
    if is_matter(reading):
        return _begin(evolve(scene, state=idle(state, order=Order())))
    return _undecided(scene)


def _undecided(scene: Scene) -> Turn | Ask:
    if scene.intent is Intent.RESTART:
        return _next(scene, _anew(scene), scene.say("restarted"))
    if scene.state.misses == 0:
        return _offer(scene)
    return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(scene.state))


def consulted(scene: Scene) -> Turn | Ask | None:
    """Take the word "咨询" by SMS, where nothing is asked twice, for the beginning of an order."""
    return _next(scene, _anew(scene)) if scene.sms and scene.intent is Intent.ASK else None


def registered(scene: Scene, question: str) -> Turn | Ask:
    """Begin an order from a question that a person shall answer."""
    order = Order(since=scene.now, text=f"咨询：{question}", kind=Kind.INQUIRY, brief=True)
    return _next(scene, idle(scene.state, order=order))


def reported(scene: Scene, words: str) -> Turn | Ask:
    """Begin an order from words that were taken for a question before."""
    return _begin(_saying(scene, words))


def went_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the order after the answer about safety."""
    if scene.state.flow is not Flow.ORDER or safety(scene.state, scene.reading) != "danger_safe":
        return None
    return _next(scene, evolve(scene.state, alarmed=False), scene.say("danger_safe"))


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the order that is open."""
    if scene.state.flow is not Flow.ORDER:
        return None
    match scene.intent:
        case Intent.CANCEL:
            return scene.turn(scene.say("cancelled"), state=idle(scene.state, order=Order()))
        case Intent.RESTART:
            return _next(scene, _anew(scene), scene.say("restarted"))
        case Intent.BACK:
            return _back(scene)
        case Intent.CONFIDE if scene.sms:
            state = evolve(scene.state, order=evolve(scene.state.order, secret="取消" not in scene.words))
            return scene.turn(_question(evolve(scene, state=state)), state=state)
        case _:
            return _offer(scene) if _comes_back(scene) else (_went_back(scene) or _answered(scene))


def _went_back(scene: Scene) -> Turn | Ask | None:
    """Ask again what somebody sees that he said wrong: the item that he names, or the one before."""
    if scene.sms or scene.state.step in {Step.REVIEW, Step.ITEM}:
        return None
    wrong = _WRONG.fullmatch(scene.reading.text)
    if wrong is None:
        return None
    slot = slots.ITEM_WORDS.get(wrong.group(1) or "")
    return _edit(scene, slot) if slot else _back(scene)


def _comes_back(scene: Scene) -> bool:
    """Return whether somebody greets, or speaks again after a long silence: he may mean something else."""
    state = scene.state
    if scene.sms:
        # A text message is answered when there is time.
        return False
    away = state.at is not None and scene.now - state.at > AWAY
    return (away or scene.intent is Intent.GREETING) and _kept(scene)


def submitted_before(scene: Scene) -> Turn | None:
    """Tell whoever taps "submit" twice that once was enough."""
    state = scene.state
    if state.step is not Step.DONE or state.at is None or scene.now - state.at > DOUBLE_TAP:
        return None
    if scene.reading.digit != 1 and not numbers.yes(scene.reading.text):
        return None
    return scene.turn(scene.say("done_before", case_no=state.target))


def begun(scene: Scene) -> Turn | Ask | None:
    """Take a free message, a photo or a place for the beginning of an order."""
    if scene.state.flow is not Flow.NONE or scene.reading.digit is not None:
        return None
    scene = _whole(scene)
    reading = scene.reading
    plain = scene.sms or reading.category()[0]
    matter = han_count(reading.text) >= (BEGIN_HAN_PLAIN if plain else BEGIN_HAN)
    if not (matter or reading.attachments or reading.place):
        return None
    if _kept(scene) and not reading.text:
        return _offer(scene)
    return _begin(scene)


def _whole(scene: Scene) -> Scene:
    """Return the scene with what came just before by itself, the beginning of a sentence, before what was said now."""
    state, text = scene.state, scene.reading.text
    if not (state.collected and text) or state.at is None or scene.now - state.at > SENTENCE:
        return scene
    return _saying(scene, f"{state.collected}，{text}"[: slots.TEXT_LENGTH])


def _begin(scene: Scene) -> Turn | Ask:
    reading = scene.reading
    order = slots.absorb(evolve(slots.fresh(scene), attachments=reading.attachments), reading, scene)
    soothe = soothing(scene)
    insults = scene.state.insults + bool(soothe)
    burst = scene.now if reading.attachments else None
    state = idle(scene.state, order=order, insults=insults, burst=burst)
    if soothe and not (order.category or order.place or order.lon or scene.sms):
        # Nothing but anger so far: it may be about a case of his; else it is kept, and the matter asked for.
        case = again.alike(scene, order)
        if isinstance(case, AskOwn):
            return case
        if case is not None:
            return _asked_again(scene, state, case, soothe)
        state = evolve(state, flow=Flow.ORDER, step=Step.TEXT)
        return scene.turn(soothe, scene.say("ask_first"), state=state)
    return _next(scene, state, soothe, _received(scene))


def _received(scene: Scene) -> str:
    """Return what is said to material that came without words; a voice note has its own question."""
    reading = scene.reading
    if not reading.attachments or reading.text or slots.only_spoken(reading.attachments):
        return ""
    return scene.say("got_photo")


def _anew(scene: Scene) -> State:
    return idle(scene.state, order=slots.fresh(scene))


def _kept(scene: Scene) -> bool:
    """Return whether there is an unfinished order worth offering; one too old is gone by now."""
    return scene.state.order.since is not None and bool(scene.state.order.text)


def _offer(scene: Scene) -> Turn:
    words = scene.say("kept_order", text=_shown(scene.state.order.text, KEPT_SHOWN))
    again = scene.state.misses + 1 if scene.state.flow is Flow.RESUME else 0
    # What was said on coming back is kept: when the old order is not wanted, it is the new one.
    matter = scene.reading.text if is_matter(scene.reading) else scene.state.collected
    return scene.turn(words, state=idle(scene.state, flow=Flow.RESUME, misses=again, collected=matter))


def _dropped(scene: Scene) -> Turn | Ask:
    told = scene.state.collected
    state = idle(scene.state, order=Order())
    if scene.intent is Intent.CANCEL:
        return scene.turn(scene.say("cancelled"), state=state)
    if not told:
        return _next(scene, _anew(scene))
    return _begin(_saying(evolve(scene, state=state), told))


def _saying(scene: Scene, told: str) -> Scene:
    """Return the scene as if words that were said before were said now."""
    reading = evolve(scene.reading, text=told, matching=for_matching(told), digit=None, empty=False)
    return evolve(scene, reading=reading)


def _answered(scene: Scene) -> Turn | Ask:
    state, reading = scene.state, scene.reading
    if reading.attachments:
        state = evolve(state, order=_with_materials(scene))
        if not reading.text:
            return _photographed(scene, state)
        scene = evolve(scene, state=state)
    if state.step is Step.REVIEW:
        return _reviewed(scene)
    if state.step is Step.ITEM:
        return _chosen_item(scene)
    order, problem = slots.take(_slot(scene), state.order, scene)
    if not problem or scene.sms:
        return _next(scene, evolve(state, order=order, misses=0))
    # What answers another question is no wrong answer.
    misses = state.misses + (order == evolve(state.order, text=order.text))
    if misses >= STUCK:
        return _stuck(scene, evolve(state, order=order, misses=0))
    return scene.turn(problem, state=evolve(state, order=order, misses=misses))


def _stuck(scene: Scene, state: State) -> Turn | Ask:
    """Offer a person, and go on with the next question where this one can be left to the agents."""
    order = slots.skipped(state.order, state.step)
    if order is state.order:
        return scene.turn(scene.say("stuck"), state=state)
    return _next(scene, evolve(state, order=order), scene.say("skipped"))


def _slot(scene: Scene) -> Step:
    return scene.state.step if scene.state.step in slots.SLOTS else Step.TEXT


def _with_materials(scene: Scene) -> Order:
    order = scene.state.order
    return evolve(order, attachments=order.attachments + scene.reading.attachments)


def _photographed(scene: Scene, state: State) -> Turn:
    """Keep what came without words; several at once are acknowledged once, and the question stands."""
    burst, state = state.burst, evolve(state, burst=scene.now)
    if burst is not None and scene.now - burst <= BURST:
        return scene.turn(state=state)
    if state.step is Step.MATERIALS:
        count = len(state.order.attachments)
        return scene.turn(scene.say("got_materials", count=count), state=state)
    received = _received(scene)
    return scene.turn(*([received] if received else []), _question(evolve(scene, state=state)), state=state)


def _question(scene: Scene) -> str:
    """Return the question that is open, worded again."""
    state = scene.state
    match state.step:
        case Step.REVIEW:
            return _read_back(scene, state.order)
        case Step.ITEM:
            return scene.say("ask_item")
        case _:
            return slots.question(_slot(scene), state.order, scene)


def _next(scene: Scene, state: State, *words: str) -> Turn | Ask:
    """Ask the next open slot, or read the order back; by SMS it is submitted at once."""
    order = state.order
    if order.since is None or scene.now - order.since > BURST:
        order = evolve(order, since=scene.now)
    step = slots.first_open(order, scene, elderly=state.elderly)
    if step is None or order.text != scene.state.order.text:
        looked_at = _looked_at(scene, evolve(state, order=order), *words)
        if not isinstance(looked_at, Order):
            return looked_at
        order = looked_at
    if scene.sms:
        if step is None:
            return _submitted(evolve(scene, state=evolve(state, order=order)))
        order = evolve(order, asked=(*order.asked, step))
    state = evolve(state, flow=Flow.ORDER, step=step or Step.REVIEW, editing=False, order=order)
    # The question is worded for the state it leads to.
    scene = evolve(scene, state=state)
    question = slots.question(step, order, scene) if step else _read_back(scene, order)
    before = [word for word in words if word]
    return scene.turn(*before, question, state=state)


def _advised(scene: Scene, state: State, code: str, *words: str) -> Turn:
    """Tell where to turn with what is not taken in; whoever insists goes on (GB/T 44189 6.1.2)."""
    long, short = scene.city.elsewhere[code]
    said = scene.say("beyond", path=long, path_short=short)
    state = evolve(state, flow=Flow.BEYOND, step=Step.CONFIRM, editing=False, choices=(code,), misses=0)
    return scene.turn(*(word for word in words if word), said, state=state)


def advised(scene: Scene) -> Turn | Ask | None:
    """Go on with a matter that its citizen insists on; what else he says goes with it, and nothing is lost."""
    state, reading = scene.state, scene.reading
    if state.flow is not Flow.BEYOND:
        return None
    if scene.intent is Intent.CANCEL:
        return scene.turn(scene.say("cancelled"), state=idle(state, order=Order()))
    order = evolve(state.order, beyond=next(iter(state.choices), ""))
    insists = reading.digit == 1 or _INSISTS.fullmatch(reading.matching) is not None
    contents = scene.intent is Intent.THANKS or numbers.yes(reading.text) or numbers.no(reading.text)
    if not insists and (reading.digit == 2 or contents or (reading.empty and not reading.attachments)):
        return scene.turn(scene.say("beyond_left"), state=idle(state, order=order))
    order = evolve(order, attachments=order.attachments + reading.attachments)
    if not insists and reading.text:
        order = slots.added(order, reading, scene)
    return _next(scene, idle(state, order=order))


def _looked_at(scene: Scene, state: State, *words: str) -> Turn | Ask | Order:
    """Return the order where nothing is to be asked about the matter itself: whether it is one's own earlier one, and ours.

    It is looked at where it is told and where all of it is known.
    """
    order = state.order
    case = again.alike(scene, order)
    if isinstance(case, AskOwn):
        return case
    if case is not None:
        return _asked_again(scene, state, case, *words)
    code = "" if order.beyond else beyond(order.text)
    if code in scene.city.elsewhere:
        return _advised(scene, state, code, *words)
    return evolve(order, earlier=order.earlier or again.earlier(scene, order))


def _asked_again(scene: Scene, state: State, case: Case, *words: str) -> Turn:
    state = evolve(state, flow=Flow.AGAIN, step=Step.PICK, editing=False, target=case.case_no, misses=0)
    before = [word for word in words if word]
    return scene.turn(*before, again.question(scene, case), state=state)


def told_again(scene: Scene) -> Turn | Ask | None:
    """Take the answer whether a matter is one's own earlier case; what is none goes on as one of its own."""
    state, reading = scene.state, scene.reading
    if state.flow is not Flow.AGAIN:
        return None
    if scene.intent is Intent.CANCEL:
        return scene.turn(scene.say("cancelled"), state=idle(state, order=Order()))
    if scene.facts.own is None:
        return AskOwn()
    case = next((case for case in scene.facts.own if case.case_no == state.target), None)
    answer = again.answer(scene) if scene.intent is None else True
    if case is not None and answer and (done := again.same(scene, case)) is not None:
        return done
    added = evolve(state.order, attachments=state.order.attachments + reading.attachments)
    if answer is None and reading.text and reading.digit is None:
        added = slots.added(added, reading, scene)
    if case is not None and answer is None and not state.misses:
        said = [_received(scene)] if reading.attachments else []
        state = evolve(state, order=added, misses=int(not reading.attachments))
        return scene.turn(*filter(None, said), again.question(scene, case), state=state)
    earlier = state.target if case is not None and case.stage not in OPEN else ""
    if answer and case is not None and case.stage is Stage.ANSWERED:
        # A doubt about an answer is an inquiry: of that nothing more is asked.
        added = evolve(added, kind=Kind.INQUIRY, category="", place=case.matter.place_text, brief=True)
    return _next(scene, idle(state, order=evolve(added, other=True, earlier=earlier)))


def _back(scene: Scene) -> Turn | Ask:
    state = scene.state
    if scene.sms:
        return scene.turn(scene.say("cancelled"), state=idle(state, order=Order()))
    if state.editing or state.step is Step.ITEM:
        return _next(scene, state)
    earlier = slots.before(state.step, state.order, scene, elderly=state.elderly)
    if earlier is None:
        return scene.turn(scene.say("cancelled"), state=idle(state, order=Order()))
    return _next(scene, evolve(state, order=slots.cleared(state.order, earlier), misses=0))


def _shown(text: str, longest: int) -> str:
    """Return the citizen's words as they may be repeated: masked, cut, and no insult."""
    if tone(for_matching(text[:500])) is Tone.ABUSIVE:
        return "（您的原话已如实记录）"
    masked = mask(text).replace("\n", " ")
    return masked if len(masked) <= longest else f"{masked[:longest]}…"


def _read_back(scene: Scene, order: Order) -> str:
    elderly = scene.state.elderly
    longest, longest_place = (
        (TEXT_SHOWN_ELDERLY, PLACE_SHOWN_ELDERLY) if elderly else (TEXT_SHOWN, PLACE_SHOWN)
    )
    place = _shown(order.place, longest_place) or ("已发定位" if order.lon is not None else "未填")
    return scene.say(
        "review",
        kind=KIND_LABELS[order.kind or Kind.HELP],
        place=place,
        text=_shown(order.text, longest),
        contact=slots.contact(order.name, order.phone) if order.phone else "不留",
        secret="是" if order.secret else "否",
    )


def _reviewed(scene: Scene) -> Turn | Ask:
    reading, order = scene.reading, scene.state.order
    if reading.digit == 1 or numbers.yes(reading.text):
        return _submitted(scene)
    if reading.digit == 2 or numbers.no(reading.text):
        return scene.turn(scene.say("ask_item"), state=evolve(scene.state, step=Step.ITEM))
    corrected = slots.corrected(order, reading)
    if corrected is not order:
        return _next(scene, evolve(scene.state, order=corrected))
    if (change := _CHANGE.fullmatch(reading.text)) is not None:
        return _change(scene, change)
    if is_matter(reading):
        added = evolve(order, text=f"{order.text}，{reading.text}"[: slots.TEXT_LENGTH])
        return _next(scene, evolve(scene.state, order=added))
    return scene.turn(_read_back(scene, order))


def _change(scene: Scene, change: re.Match[str]) -> Turn:
    numeral = change.group(1)
    named = "".join(group or "" for group in change.groups()[1:])
    slot = slots.ITEMS.get(_NUMERALS.get(numeral) or int(numeral)) if numeral else None
    slot = slot or next((step for word, step in slots.ITEM_WORDS.items() if word in named), None)
    if slot is None:
        return scene.turn(scene.say("ask_item"), state=evolve(scene.state, step=Step.ITEM))
    return _edit(scene, slot)


def _chosen_item(scene: Scene) -> Turn:
    text = scene.reading.text
    named = (step for word, step in slots.ITEM_WORDS.items() if word in text)
    slot = slots.ITEMS.get(scene.reading.digit or 0) or next(named, None)
    return _edit(scene, slot) if slot else scene.turn(scene.say("ask_item"))


def _edit(scene: Scene, slot: Step) -> Turn:
    """Ask one slot again; its old answer stays until there is a new one."""
    state = evolve(scene.state, step=slot, editing=True, misses=0)
    return scene.turn(scene.say(f"ask_{slot}"), state=state)


def _submitted(scene: Scene) -> Turn | Ask:
    order = _worded(scene.state.order, sms=scene.sms)
    if scene.sms and han_count(mask(order.text)) < slots.MIN_HAN:
        words = scene.say("sms_too_little", hotline=scene.city.hotline)
        handed = Handoff("too little", phone=scene.phone)
        return scene.turn(words, state=idle(scene.state, order=Order(), heard=True), effects=(handed,))
    number = scene.facts.number
    if number is None:
        return AskNumber()
    effect = submission(order, number, scene.city, lang=scene.state.lang, elderly=scene.state.elderly)
    state = idle(
        scene.state,
        order=Order(),
        target=number.case_no,
        step=Step.DONE,
        name=order.name or scene.state.name,
        phone=order.phone or scene.state.phone,
        reported=True,
    )
    return scene.turn(_promise(scene, order, number, effect), state=state, effects=(effect,))


def _worded(order: Order, *, sms: bool) -> Order:
    """Return an order as it is submitted; a report by SMS is confidential unless said otherwise."""
    secret = True if sms and order.kind is Kind.REPORT and order.secret is None else order.secret
    return evolve(order, text=slots.worded(order), secret=secret)


def _promise(scene: Scene, order: Order, number: NewNumber, effect: Submit) -> str:
    key = "done_accepted" if effect.accept else "done"
    if order.reply_by == slots.NONE:
        key = "done_quiet"
    if scene.sms and order.secret:
        key = "sms_secret"
    if order.anonymous:
        key = "done_anonymous"
    channel = order.reply_by or _CHANNELS.get(scene.facts.source, "here")
    return scene.say(
        key,
        case_no=number.case_no,
        code=number.query_code,
        hours=scene.city.accept_hours,
        channel="" if channel == slots.NONE else scene.say(f"via_{channel}"),
    )
