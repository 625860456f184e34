"""Sessions: an anonymous one for whoever asks, and a telephone proved by a code that is sent to it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bots.words import say
from gateway.pace import Pace
from gateway.runtime import instant, millis
from gateway.store import codes
from gateway.web.api.models import CodeIn, Me, PhoneIn, Token
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, invalid
from gateway.web.portal.login import AN_HOUR, AT_ONCE, GOOD_MS
from gateway.web.portal.memory import Code, Memory
from gateway.web.session import ANONYMOUS, PROVED
from normalizer import case_no
from normalizer.message import Address
from normalizer.people import mask_phone, valid_mobile
from outbox.notices import OTP

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts
    from gateway.web.session import Session

ZONE = ZoneInfo("Asia/Shanghai")


class Sessions:
    """The operations of sessions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pace = Pace(per_second=AN_HOUR, burst=AT_ONCE)

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        many = HTTPStatus.TOO_MANY_REQUESTS
        return (
            Operation("POST", "/sessions", "begin_session", "取得一个匿名会话", self.begin, {HTTPStatus.CREATED: Token}, session=False),
            Operation("GET", "/session", "show_session", "看会话", self.show, {HTTPStatus.OK: Me}),
            Operation("DELETE", "/session", "end_session", "忘掉会话里记住的一切", self.end, {HTTPStatus.NO_CONTENT: None}),
            Operation(
                "POST", "/session/phone", "ask_for_code", "把验证码发到手机", self.ask,
                {HTTPStatus.ACCEPTED: None}, body=PhoneIn, problems=(HTTPStatus.CONFLICT, many),
            ),
            Operation(
                "POST", "/session/phone/code", "prove_phone", "用验证码证明手机号，换成新的会话", self.prove,
                {HTTPStatus.OK: Token}, body=CodeIn, problems=(HTTPStatus.CONFLICT, many),
            ),
        )  # fmt: skip

    async def begin(self, call: Call) -> Reply:
        """Give an anonymous session."""
        return Reply(self._token(self._parts.sessions.begin(ANONYMOUS)), HTTPStatus.CREATED)

    async def show(self, call: Call) -> Reply:
        """Show the session."""
        phone = call.memory.phone
        csrf = self._parts.sessions.csrf(call.session)
        masked = mask_phone(phone) if phone else None
        return Reply(Me(until=local(instant(call.session.until)), phone=masked, csrf=csrf))

    async def end(self, call: Call) -> Reply:
        """Forget what was remembered; the token proves nothing any more but its own conversation."""
        await self._parts.sessions.forget(call.session)
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def ask(self, call: Call, body: PhoneIn) -> Reply:
        """Send a code to a telephone."""
        parts, phone = self._parts, valid_mobile(body.phone)
        if not parts.texts:
            raise Wrong(HTTPStatus.CONFLICT, "no-sms", "这里还不能发短信验证码，请用单号和查询码查询。")
        if phone is None:
            raise invalid("/phone", "这个手机号好像不对，请核对 11 位数字。")
        if self._pace.over(phone.encode(), parts.now().timestamp()):
            detail = "验证码要得太多了，请过一会儿再试，或打热线电话查询。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-many-codes", detail, retry_after=720)
        code = case_no.make_code(secrets.randbelow)
        await parts.office.tell(Address(parts.texts, phone), OTP, say("zh", "sms_code", code=code))
        call.keep(replace(call.memory, code=Code(phone, code, millis(parts.now()) + GOOD_MS)))
        return Reply(status=HTTPStatus.ACCEPTED)

    async def prove(self, call: Call, body: CodeIn) -> Reply:
        """Take the code: a right one gives a new session, whose own the telephone's cases are."""
        parts, waiting, at = self._parts, call.memory.code, millis(self._parts.now())
        if waiting is None:
            raise Wrong(HTTPStatus.CONFLICT, "no-code", "请先取验证码。")
        subjects = tuple(parts.sealer.hash(f"login {each}") for each in (waiting.phone, call.session.id))
        if await parts.store.read(partial(codes.locked, subjects=subjects, now=at)):
            detail = "输错次数较多，请一小时后再试，或打热线电话查询。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "locked", detail, retry_after=3600)
        right = secrets.compare_digest(body.code.encode(), waiting.code.encode())
        if at > waiting.until or not right:
            await parts.store.write(partial(codes.wrong, subjects=subjects, now=at))
            raise invalid("/code", "验证码不对或已过期，请核对，或重新取一个。")
        return Reply(self._token(await self._proved(call, waiting.phone)))

    async def _proved(self, call: Call, phone: str) -> Session:
        parts, before = self._parts, call.session
        own = await parts.lookup.own(parts.sessions.conversation(before))
        if any(case.complainant.phone == phone for case in own):
            # He reported from here before he proved who he is.
            await parts.office.bind(before.address, phone)
        session, memory = parts.sessions.begin(PROVED), call.memory
        await parts.office.bind(session.address, phone)
        await parts.sessions.forget(before)
        call.session = session
        call.keep(Memory(form=memory.form, phone=phone, done=memory.done))
        return session

    def _token(self, session: Session) -> Token:
        return Token(token=self._parts.sessions.token(session), until=local(instant(session.until)))


def local(at: datetime) -> datetime:
    """Return an instant as it is written here, to the second."""
    return at.astimezone(ZONE).replace(microsecond=0)


def reach(parts: Parts, call: Call) -> Address:
    """Return where a citizen is told of his cases: by SMS once he proved a telephone, else where he asks."""
    phone = call.memory.phone
    return Address(parts.texts, phone) if phone and parts.texts else call.session.address
