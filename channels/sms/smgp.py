"""China Telecom's SMGP 3.0.3 (sms-email.md 1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from channels.contract import SendError, SendReason
from channels.settings import read
from channels.sms import octets
from channels.sms import smgp_pdu as pdu
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

_CHINA = ZoneInfo("Asia/Shanghai")


class Settings(Gateway):
    """One account with an SMGW; ``client_id`` is who we are there, ``src_id`` the number citizens see."""

    kind: Literal["smgp"]
    port: int = Field(default=8890, ge=1, le=65535)
    client_id: str = Field(pattern=r"^[\x21-\x7e]{1,8}$")


class Frames(Exchange):
    """SMGP's frames for one account (``carrier.Frames``)."""

    _test = pdu.Command.ACTIVE_TEST
    _goodbye = pdu.Command.EXIT
    _alive = b""
    alphabets: Sequence[Alphabet] = (WIDE,)
    throttled = frozenset({1})
    # The norm's numbers as they are commonly known; one that is not here is a refusal.
    reasons: Mapping[int, SendReason] = {
        10: SendReason.CONTENT,
        36: SendReason.CONTENT,
        46: SendReason.FORBIDDEN,
        47: SendReason.UNREACHABLE,
        49: SendReason.FORBIDDEN,
    }

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now

    def login(self, sequence: int) -> bytes:
        """Return Login with the time in China."""
        stamp = int(self._now().astimezone(_CHINA).strftime("%m%d%H%M%S"))
        return pdu.login(sequence, self._settings.client_id, self._settings.secret.get_secret_value(), stamp)

    def welcomed(self, frame: bytes) -> None:
        """Read Login_Resp; raises SendError when we were not let in, InvalidInput."""
        status = pdu.login_status(frame)
        if status:
            reason = SendReason.CREDENTIALS if status in {20, 21} else SendReason.BUSY
            raise SendError(reason, f"login status {status}")

    def submit(self, sequence: int, message: Outgoing) -> bytes:
        """Return Submit; raises InvalidInput."""
        fields = pdu.Submit(
            source=self._settings.src_id,
            service=self._settings.service_id,
            receiver=message.receiver,
            coding=message.coding,
            content=message.content,
            number=message.number,
            total=message.total,
        )
        return pdu.submit(sequence, fields)

    def submitted(self, frame: bytes) -> tuple[str, int]:
        """Read Submit_Resp; raises InvalidInput."""
        answer = pdu.submitted(frame)
        return answer.msg_id.hex(), answer.status

    def delivered(self, frame: bytes) -> Upward | Outcome | None:
        """Read Deliver: words or a receipt; raises InvalidInput."""
        if octets.command(frame) != pdu.Command.DELIVER:
            return None
        came = pdu.delivered(frame)
        if came.receipt:
            report = pdu.report(came.content)
            return Outcome(report.msg_id.hex(), report.stat)
        return Upward(came.msg_id.hex(), came.source, came.coding, came.udhi, came.content)

    def taken(self, frame: bytes) -> bytes:
        """Return Deliver_Resp with status 0."""
        return pdu.deliver_resp(frame, 0)


def build(account: str, settings: Mapping[str, object], tools: Tools, pace: Pace | None = None) -> Carrier:
    """Make the channel of an account; raises Misconfigured."""
    chosen = read(Settings, account, settings)
    return Carrier(account, Frames(chosen, tools.now), chosen, tools, pace)
