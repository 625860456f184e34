"""One message, one turn: the flows are asked in order, and the first that claims the message answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from bots import (
    answers,
    binding,
    followup,
    guard,
    handoff,
    intake,
    mail,
    mine,
    noticed,
    progress,
    rating,
    service,
    sms,
    spots,
    welcome,
    which,
)
from bots.contract import Alert, Ask, Owner, Turn
from bots.intent import Intent, intent_of, led_of
from bots.scene import EMAIL, SMS, Scene, idle
from bots.state import Flow, Step
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Facts, Moment
    from bots.state import State
    from normalizer.draft import CaseDraft

FLOWS: tuple[Callable[[Scene], Turn | Ask | None], ...] = (
    guard.danger,  # before all else
    guard.restricted,
    sms.ignored,
    sms.repeated,
    handoff.asked,  # one key to a person, in every state
    spots.scanned,
    welcome.happened,
    intake.went_on,  # "are you safe?" is the latest question, whatever was open before
    guard.safe,
    welcome.language,
    welcome.modes,
    binding.asked,
    binding.sent,
    sms.photos,
    mine.asked,
    progress.by_number,  # seventeen digits are never the answer to anything else
    handoff.waiting,
    guard.abuse,
    welcome.empty,
    followup.meant,  # "路灯那个催一下": a case is named, whatever was asked
    # the question that is open, before any word could mean something new
    service.going_on,
    mine.going_on,
    noticed.objecting,
    intake.resumed,
    intake.told_again,
    intake.advised,
    intake.going_on,
    followup.going_on,
    rating.going_on,
    progress.going_on,
    answers.going_on,
    # words and numbers
    rating.asked,  # a bare digit may answer the rating question, so before the menu's digits
    sms.bare_digit,  # the menu of other channels has no digits here
    intake.submitted_before,
    intake.continued,
    welcome.acknowledged,
    noticed.objects,
    noticed.doubted,
    followup.mended,
    followup.corrected,
    progress.asked,
    followup.asked,
    intake.asked,
    answers.asked,
    intake.greeted_back,
    welcome.menu,
    welcome.elderly,
    # free text, photos, places
    followup.sent_after,
    followup.waited_for,
    noticed.supplied,
    intake.begun,
    welcome.fallback,
)
"""The whole talk on one screen."""


_ASIDE = frozenset({followup.meant, followup.asked, mine.asked, progress.asked})
"""What is asked for in between: the order that it interrupts is kept."""


class Sign(NamedTuple):
    """What is seen of a message at a glance: how it came, what was open, and whether it is a wish or an event."""

    sms: bool
    flow: Flow
    wished: bool
    event: bool
    queued: bool


def _open(*flows: Flow) -> Callable[[Sign], bool]:
    return lambda sign: sign.flow in flows


_ONLY: dict[Callable[[Scene], Turn | Ask | None], Callable[[Sign], bool]] = {
    sms.ignored: lambda sign: sign.sms,
    sms.repeated: lambda sign: sign.sms,
    sms.photos: lambda sign: sign.sms,
    sms.bare_digit: lambda sign: sign.sms,
    binding.sent: lambda sign: sign.sms,
    spots.scanned: lambda sign: sign.event,
    welcome.happened: lambda sign: sign.event,
    handoff.asked: lambda sign: sign.wished,
    welcome.modes: lambda sign: sign.wished,
    binding.asked: lambda sign: sign.wished,
    welcome.menu: lambda sign: sign.wished,
    intake.greeted_back: lambda sign: sign.wished and sign.flow is Flow.NONE,
    handoff.waiting: lambda sign: sign.queued,
    intake.went_on: _open(Flow.ORDER),
    service.going_on: _open(Flow.SERVICE),
    intake.resumed: _open(Flow.RESUME),
    mine.going_on: _open(Flow.MINE),
    noticed.objecting: _open(Flow.OBJECT),
    noticed.objects: _open(Flow.NONE, Flow.PROGRESS),
    noticed.supplied: _open(Flow.NONE),
    noticed.doubted: _open(Flow.NONE),
    intake.told_again: _open(Flow.AGAIN),
    intake.advised: _open(Flow.BEYOND),
    intake.going_on: _open(Flow.ORDER),
    followup.going_on: _open(Flow.SUPPLEMENT, Flow.URGE, Flow.WITHDRAW, Flow.CONFIDE),
    rating.going_on: _open(Flow.RATE, Flow.REASONS),
    progress.going_on: _open(Flow.PROGRESS, Flow.CODE),
    answers.going_on: _open(Flow.CONSULT),
    welcome.empty: _open(Flow.NONE),
    welcome.elderly: _open(Flow.NONE),
    answers.asked: _open(Flow.NONE),
    intake.continued: _open(Flow.NONE),
    followup.waited_for: _open(Flow.NONE),
    welcome.acknowledged: _open(Flow.NONE),
    followup.mended: _open(Flow.NONE),
    followup.corrected: _open(Flow.NONE),
    intake.begun: _open(Flow.NONE),
}
"""What must be so for a flow to claim anything; each looks for itself too, this spares asking those that cannot."""


@cache
def _possible(*seen: Any) -> tuple[Callable[[Scene], Turn | Ask | None], ...]:
    sign = Sign(*seen)
    return tuple(flow for flow in FLOWS if flow not in _ONLY or _ONLY[flow](sign))


def possible(scene: Scene) -> tuple[Callable[[Scene], Turn | Ask | None], ...]:
    """Return the flows that may claim a scene's message, in order."""
    facts = scene.facts
    return _possible(
        facts.source == SMS,
        scene.state.flow,
        scene.intent is not None,
        scene.reading.event is not None,
        facts.owner is Owner.QUEUED,
    )


def turn(state: State, reading: CaseDraft, facts: Facts, moment: Moment) -> Turn | Ask:
    """Answer one message, or say what must be known first."""
    if facts.source == EMAIL:
        return mail.answered(_letter(state, reading, facts, moment))
    if facts.source == SMS:
        state = sms.forgotten(state, moment.now)
        scene = _text_message(state, reading, facts, moment)
        done = _answer(scene)
        return sms.remembered(state, scene, done) if isinstance(done, Turn) else done
    return _answer(_scene(state, reading, facts, moment))


def _answer(scene: Scene) -> Turn | Ask:
    for flow in possible(scene):
        done = flow(scene)
        if done is not None:
            if not isinstance(done, Turn):
                return done
            return _spoken(scene, intake.reminded(scene, done) if flow in _ASIDE else done)
    raise AssertionError("the last flow answers everything")


def _scene(state: State, reading: CaseDraft, facts: Facts, moment: Moment) -> Scene:
    (intent, number), words = intent_of(reading), ""
    if intent is None and state.flow is not Flow.ORDER:
        intent, words = led_of(reading)
    state = service.kept(state, reading, intent, moment.now, number)
    state = intake.without_stale_order(state, moment.now, moment.city.draft_hours)
    state = answers.without_stale(state, moment.now)
    state = guard.calmed(state, reading)
    state = welcome.in_chinese_again(state, reading.text)
    if state.flow and _left(state, reading, intent):
        state = idle(state)
    return Scene(state, reading, facts, moment, intent, number, words)


def _text_message(state: State, reading: CaseDraft, facts: Facts, moment: Moment) -> Scene:
    reading = sms.read(reading)
    state = answers.without_stale(state, moment.now)
    state = guard.calmed(state, reading)
    state = welcome.in_chinese_again(state, reading.text)
    wish = sms.wish(reading, state, queued=facts.owner is Owner.QUEUED)
    state = service.kept(state, reading, wish.intent, moment.now, wish.number)
    coded = wish.coded and wish.intent in _WISHES and state.flow is not Flow.SERVICE
    if state.flow and (coded or _left(state, reading, wish.intent)):
        state = idle(state)
    return Scene(state, reading, facts, moment, wish.intent, wish.number, wish.words)


def _letter(state: State, reading: CaseDraft, facts: Facts, moment: Moment) -> Scene:
    state = intake.without_stale_order(state, moment.now, moment.city.draft_hours)
    return Scene(state, reading, facts, moment, None)


_WISHES = frozenset(
    {
        Intent.MENU,
        Intent.REPORT,
        Intent.ASK,
        Intent.PROGRESS,
        Intent.SUPPLEMENT,
        Intent.URGE,
        Intent.WITHDRAW,
        Intent.RATE,
    }
)
"""Words that begin something else; an order is kept and can be taken up again."""
_ANSWERS = {
    # "投诉" may answer the kind, "快点处理" the demand
    Flow.ORDER: frozenset({Intent.REPORT, Intent.ASK, Intent.SUPPLEMENT, Intent.URGE}),
    Flow.CONSULT: frozenset({Intent.ASK}),
    Flow.WITHDRAW: frozenset({Intent.WITHDRAW}),
    # only one's earlier case can be meant by these
    Flow.BEYOND: frozenset({Intent.REPORT}),
    Flow.AGAIN: frozenset({Intent.URGE, Intent.PROGRESS, Intent.SUPPLEMENT}),
}
"""Of these, words that may as well answer the question that is open."""
_CHOICES = frozenset({Flow.PROGRESS, Flow.CODE, Flow.URGE, Flow.WITHDRAW, Flow.RATE})
"""Talks that want a number: a whole sentence is a matter of its own."""


def _left(state: State, reading: CaseDraft, intent: Intent | None) -> bool:
    """Return whether the open question is left for something else."""
    if reading.event is not None:
        return intent in _WISHES
    if state.flow is Flow.SERVICE:
        # What is no answer has closed it before (``service.kept``).
        return False
    if intent in _WISHES:
        return _word_leads_out(state, intent)
    if state.flow is Flow.CONSULT:
        return answers.left(state, reading, intent)
    if (
        not intake.is_matter(reading)
        or which.corrects(reading)
        or (state.flow is Flow.RATE and rating.felt(reading) is not None)
    ):
        return False
    return state.flow in _CHOICES or (state.flow is Flow.SUPPLEMENT and state.step is Step.PICK)


def _word_leads_out(state: State, intent: Intent) -> bool:
    if intent in _ANSWERS.get(state.flow, ()) or state.flow in {Flow.REASONS, Flow.NOTE}:
        return False
    if state.flow is Flow.SUPPLEMENT and state.step is Step.COLLECT:
        return not (state.collected or state.attachments)
    return True


def _spoken(scene: Scene, done: Turn) -> Turn:
    """Return the turn with the notice before its first words ever, and the time of speaking."""
    if not done.replies:
        return done
    city, state = scene.city, done.state
    if scene.facts.own and not state.reported:
        state = evolve(state, reported=True)
    if state.notice_version == city.notice_version or any(isinstance(each, Alert) for each in done.effects):
        return Turn(evolve(state, at=scene.now), done.replies, done.effects)
    told = evolve(state, at=scene.now, notice_version=city.notice_version)
    words = welcome.notice(evolve(scene, state=told))
    return Turn(told, (words, *done.replies), done.effects)
