"""China Unicom's SGIP 1.2: we visit the gateway to send, and it visits us to bring words and reports (sms-email.md 1.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from channels.contract import SendError, SendReason
from channels.settings import read
from channels.sms import sgip_pdu as pdu
from channels.sms.carrier import Carrier, Outcome, Upward
from channels.sms.session import Session
from channels.sms.sgip_line import Line, Settings
from channels.sms.text import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from channels.contract import Tools
    from channels.sms.carrier import Outgoing
    from channels.sms.pace import Pace
    from channels.sms.text import Alphabet

_CHINA = ZoneInfo("Asia/Shanghai")
_STATES = {0: "DELIVRD", 1: "ENROUTE", 2: "UNDELIV"}


class Frames:
    """SGIP's frames for one account (``carrier.Frames``)."""

    header = pdu.HEADER.size
    longest = pdu.MAX_PDU
    alphabets: Sequence[Alphabet] = (WIDE,)
    throttled = frozenset({int(pdu.Result.BUSY), int(pdu.Result.QUEUE_FULL)})
    reasons: Mapping[int, SendReason] = {
        pdu.Result.BAD_NUMBER: SendReason.UNREACHABLE,
        pdu.Result.UNREACHABLE: SendReason.UNREACHABLE,
        pdu.Result.USER_AWAY: SendReason.UNREACHABLE,
        pdu.Result.UNKNOWN_USER: SendReason.UNREACHABLE,
        pdu.Result.SYSTEM_ERROR: SendReason.BUSY,
    }

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._counter = 0

    def key(self, frame: bytes) -> bytes:
        """Return the twelve bytes of the sequence."""
        return pdu.decode(frame).sequence

    def answers(self, frame: bytes) -> bool:
        """Return whether the command has the highest bit set."""
        return bool(pdu.decode(frame).command & pdu.RESPONSE)

    def login(self, sequence: int) -> bytes:  # noqa: ARG002 - see _named
        """Return Bind of the SP to the gateway."""
        who = self._settings
        body = pdu.Bind(pdu.LoginType.TO_GATEWAY, who.login, who.secret.get_secret_value()).encode()
        return self._named(pdu.Command.BIND, body)

    def welcomed(self, frame: bytes) -> None:
        """Read the answer to Bind; raises SendError when we were not let in, InvalidInput."""
        result = pdu.decode_answer(pdu.decode(frame).body)
        if result in {pdu.Result.WRONG_LOGIN, pdu.Result.WRONG_TYPE}:
            raise SendError(SendReason.CREDENTIALS, f"bind result {result}")
        if result:
            raise SendError(SendReason.BUSY, f"bind result {result}")

    def test(self, sequence: int) -> bytes:  # noqa: ARG002 - see _named
        """Return Unbind: SGIP has no test of a link, and ``tries`` is nought."""
        return self._named(pdu.Command.UNBIND)

    def goodbye(self, sequence: int) -> bytes:  # noqa: ARG002 - see _named
        """Return Unbind."""
        return self._named(pdu.Command.UNBIND)

    def routine(self, frame: bytes) -> bytes | None:
        """Return the answer to Unbind."""
        asked = pdu.decode(frame)
        return pdu.Pdu(pdu.Command.UNBIND_RESP, asked.sequence).encode() if self.ends(frame) else None

    def ends(self, frame: bytes) -> bool:
        """Return whether this is Unbind."""
        return pdu.decode(frame).command == pdu.Command.UNBIND

    def submit(self, sequence: int, message: Outgoing) -> bytes:  # noqa: ARG002 - see _named
        """Return Submit that asks for a report; raises InvalidInput."""
        who = self._settings
        fields = pdu.Submit(
            source=who.src_id,
            user="86" + message.receiver.removeprefix("86"),
            corp_id=who.corp_id,
            service_type=who.service_id,
            content=message.content,
            coding=message.coding,
            udhi=int(message.total > 1),
        )
        return self._named(pdu.Command.SUBMIT, fields.encode())

    def submitted(self, frame: bytes) -> tuple[str, int]:
        """Read Submit_Resp; the message's name is the sequence it was sent with."""
        answer = pdu.decode(frame)
        return answer.sequence.hex(), pdu.decode_answer(answer.body)

    def delivered(self, frame: bytes) -> Upward | Outcome | None:
        """Read Deliver or Report; raises InvalidInput."""
        came = pdu.decode(frame)
        if came.command == pdu.Command.REPORT:
            report = pdu.decode_report(came.body)
            return Outcome(report.sequence.hex(), _STATES.get(report.state, "ENROUTE"))
        if came.command != pdu.Command.DELIVER:
            return None
        words = pdu.decode_deliver(came.body)
        return Upward(came.sequence.hex(), words.user, words.coding, words.has_header, words.content)

    def taken(self, frame: bytes) -> bytes:
        """Return the answer with result 0."""
        return pdu.answer(pdu.decode(frame), pdu.Result.OK)

    def _named(self, command: int, body: bytes = b"") -> bytes:
        """Return a request under a name no other link of this node gives: the counter runs across links."""
        self._counter = self._counter % 0xFFFFFFFF + 1
        stamp = int(self._now().astimezone(_CHINA).strftime("%m%d%H%M%S"))
        name = pdu.Sequence(self._settings.node_id, stamp, self._counter).encode()
        return pdu.Pdu(command, name, body).encode()


class Sgip(Carrier):
    """One account with an SMG, as a channel; of its link, ``home`` is where the gateway visits us."""

    def __init__(self, account: str, settings: Settings, tools: Tools, pace: Pace | None = None) -> None:
        frames = Frames(settings, tools.now)
        super().__init__(account, frames, settings, tools, pace)

        def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Session:
            return Session(
                account, (reader, writer), frames, self._handle, timers=settings.timers, pace=self._pace
            )

        self.link: Line = Line(account, settings, opened, self._pace)


def build(account: str, settings: Mapping[str, object], tools: Tools, pace: Pace | None = None) -> Sgip:
    """Make the channel of an account; raises Misconfigured."""
    return Sgip(account, read(Settings, account, settings), tools, pace)
