"""China Mobile's CMPP 2.0 and 3.0, which resellers speak for all carriers (sms-email.md 1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import structlog
from pydantic import Field

from channels.contract import SendError, SendReason
from channels.settings import read
from channels.sms import cmpp_pdu as pdu
from channels.sms import octets
from channels.sms.carrier import Carrier, Outcome, Upward
from channels.sms.exchange import Exchange
from channels.sms.settings import Gateway
from channels.sms.text import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from channels.contract import Tools
    from channels.sms.carrier import Outgoing
    from channels.sms.pace import Pace
    from channels.sms.text import Alphabet

log = structlog.get_logger()

_CHINA = ZoneInfo("Asia/Shanghai")


class Settings(Gateway):
    """One account with an ISMG; ``sp_id`` is the enterprise code, ``src_id`` the number citizens see."""

    kind: Literal["cmpp"]
    port: int = Field(default=7890, ge=1, le=65535)
    sp_id: str = Field(pattern=r"^[\x21-\x7e]{1,6}$")
    version: Literal[2, 3] = 2


class Frames(Exchange):
    """CMPP's frames for one account (``carrier.Frames``)."""

    _test = pdu.Command.ACTIVE_TEST
    _goodbye = pdu.Command.TERMINATE
    _alive = b"\0"
    alphabets: Sequence[Alphabet] = (WIDE,)
    throttled = frozenset({8})
    reasons: Mapping[int, SendReason] = {
        1: SendReason.CONTENT,
        4: SendReason.CONTENT,
        6: SendReason.CONTENT,
        9: SendReason.UNREACHABLE,
        10: SendReason.FORBIDDEN,
        11: SendReason.FORBIDDEN,
        13: SendReason.UNREACHABLE,
    }

    def __init__(self, account: str, settings: Settings, now: Callable[[], datetime]) -> None:
        self._account = account
        self._settings = settings
        self._secret = settings.secret.get_secret_value()
        self._now = now
        self._proof = b""

    def login(self, sequence: int) -> bytes:
        """Return CONNECT with the time in China."""
        stamp = int(self._now().astimezone(_CHINA).strftime("%m%d%H%M%S"))
        self._proof = pdu.authenticator(self._settings.sp_id, self._secret, stamp)
        return pdu.connect(sequence, self._settings.sp_id, self._secret, stamp, self._settings.version)

    def welcomed(self, frame: bytes) -> None:
        """Read CONNECT_RESP; raises SendError when we were not let in, InvalidInput."""
        answer = pdu.connected(frame)
        if answer.status in {2, 3}:
            raise SendError(SendReason.CREDENTIALS, f"connect status {answer.status}")
        if answer.status:
            raise SendError(SendReason.BUSY, f"connect status {answer.status}")
        # Gateways differ in what they hash, so a wrong proof is noted and not a reason to stay away (1.1).
        if not pdu.approved(answer, self._proof, self._secret):
            log.warning("cmpp.gateway_unproved", account=self._account)

    def submit(self, sequence: int, message: Outgoing) -> bytes:
        """Return SUBMIT; raises InvalidInput."""
        fields = pdu.Submit(
            source=self._settings.src_id,
            sp_id=self._settings.sp_id,
            service=self._settings.service_id,
            receiver=message.receiver,
            coding=message.coding,
            content=message.content,
            number=message.number,
            total=message.total,
        )
        return pdu.submit(sequence, fields, self._settings.version)

    def submitted(self, frame: bytes) -> tuple[str, int]:
        """Read SUBMIT_RESP; raises InvalidInput."""
        answer = pdu.submitted(frame)
        return answer.msg_id.hex(), answer.result

    def delivered(self, frame: bytes) -> Upward | Outcome | None:
        """Read DELIVER: words or a receipt; raises InvalidInput."""
        if octets.command(frame) != pdu.Command.DELIVER:
            return None
        came = pdu.delivered(frame, self._settings.version)
        if came.receipt:
            report = pdu.report(came.content)
            return Outcome(report.msg_id.hex(), report.stat)
        return Upward(came.msg_id.hex(), came.source, came.coding, came.udhi, came.content)

    def taken(self, frame: bytes) -> bytes:
        """Return DELIVER_RESP with result 0."""
        return pdu.deliver_resp(frame, 0, self._settings.version)


def build(account: str, settings: Mapping[str, object], tools: Tools, pace: Pace | None = None) -> Carrier:
    """Make the channel of an account; raises Misconfigured."""
    chosen = read(Settings, account, settings)
    return Carrier(account, Frames(account, chosen, tools.now), chosen, tools, pace)
