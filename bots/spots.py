"""扫码反映: a code at a window, a district or an estate says where it is; the report begins with the place filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots import slots
from bots.scene import idle
from bots.state import Flow, Step
from bots.welcome import greeted
from normalizer.evolve import evolve
from normalizer.message import EventKind

if TYPE_CHECKING:
    from bots.contract import Turn
    from bots.scene import Scene

_SCANNED = frozenset({EventKind.SCAN, EventKind.SUBSCRIBE})


def scanned(scene: Scene) -> Turn | None:
    """Begin a report at the place of a code that the city put up; another code is none of ours."""
    event = scene.reading.event
    spot = scene.city.spots.get(event.key) if event is not None and event.event in _SCANNED else None
    if spot is None:
        return None
    order = evolve(slots.fresh(scene), place=spot.place)
    # A report that is half told keeps its words; only where it is is told anew.
    kept = scene.state.order
    if kept.text and not kept.place and kept.lon is None:
        order = evolve(kept, place=spot.place)
    state = idle(greeted(scene), flow=Flow.ORDER, step=Step.TEXT, order=order)
    return scene.turn(scene.say("scanned", spot=spot.name, place=spot.place), state=state)
