"""One message, one turn: the flows are asked in order, and the first that claims the message answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bots import followup, guard, handoff, intake, progress, rating, welcome
from bots.contract import Ask, Turn
from bots.intent import intent_of
from bots.scene import Scene
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Facts, Moment
    from bots.state import State
    from normalizer.draft import CaseDraft

FLOWS: tuple[Callable[[Scene], Turn | Ask | None], ...] = (
    guard.danger,  # before all else
    welcome.subscribed,
    handoff.asked,  # one key to a person, in every state
    guard.safe,
    welcome.language,
    welcome.modes,
    handoff.waiting,
    guard.abuse,
    welcome.empty,
    # the question that is open, before any word could mean something new
    intake.resumed,
    intake.going_on,
    followup.going_on,
    rating.going_on,
    # words and numbers
    rating.asked,  # a bare digit may answer the rating question, so before the menu's digits
    progress.by_number,
    progress.picked,
    progress.asked,
    followup.asked,
    intake.asked,
    intake.consult,
    intake.greeted_back,
    welcome.menu,
    welcome.elderly,
    # free text
    intake.begun,
    welcome.fallback,
)


def turn(state: State, reading: CaseDraft, facts: Facts, moment: Moment) -> Turn | Ask:
    """Answer one message, or say what must be known first."""
    state = intake.without_stale_order(state, moment.now, moment.city.draft_hours)
    scene = Scene(state, reading, facts, moment, intent_of(reading))
    for flow in FLOWS:
        done = flow(scene)
        if isinstance(done, Turn):
            return evolve(done, state=evolve(done.state, at=moment.now)) if done.replies else done
        if done is not None:
            return done
    raise AssertionError("the last flow answers everything")
