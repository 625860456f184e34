"""``jiesu demo``: the gateway and a stand-in of the outside world on one machine, for a newcomer to play with.

The newcomer writes as a citizen on the phone page; a button plays the hotline's and the unit's next step, so that
a case is seen to move and the citizen to be told.
"""

from __future__ import annotations

import asyncio
import signal as signals
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from normalizer.case import Actor, Command, Role, Stage, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping


ACCOUNT = "wx"
SHOWN = 20

_AGENT = Actor(Role.AGENT, "demo-agent")
_UNIT = Actor(Role.UNIT, "demo-officer", "demo-unit")

NEXT: Mapping[Stage, Command] = {
    Stage.SUBMITTED: Command(Verb.ACCEPT, _AGENT),
    Stage.ACCEPTED: Command(Verb.DISPATCH, _AGENT, unit="demo-unit", unit_name="区城管局"),
    Stage.DISPATCHED: Command(Verb.SIGN, _UNIT),
    Stage.PROCESSING: Command(Verb.REPLY, _UNIT, text="已派人到现场处理完毕，感谢您的反映。", code="已解决"),
    Stage.REPLIED: Command(Verb.FINISH, _AGENT),
    Stage.CLOSED_PENDING: Command(Verb.VISIT, _AGENT),
    Stage.REWORK: Command(Verb.DISPATCH, _AGENT, unit="demo-unit", unit_name="区城管局"),
}
"""The hotline's next step at each stage, as a newcomer plays it."""


async def run(*, port: int, data: Path | None, gateway_url: str, config: Path | None) -> None:
    """Run until stopped; prints the address where the phone is."""
    stop = asyncio.Event()
    for number in (signals.SIGTERM, signals.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiesu-demo-")))
        await stop.wait()
