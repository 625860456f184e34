"""Sessions: an anonymous one for whoever asks, and a telephone proved by a code that is sent to it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from channels.contract import ProvesPhones, SignInError, SignInReason
from gateway.runtime import instant
from gateway.web.api.models import CodeIn, Me, PhoneIn, PhoneOut, SignIn, Token, WeChatCode
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, invalid
from gateway.web.limits import DAY, Limit
from gateway.web.portal.memory import Memory, end
from gateway.web.portal.proof import LOCKED
from gateway.web.session import ANONYMOUS, PROVED
from normalizer.errors import Refused
from normalizer.message import Address
from normalizer.people import mask_phone, valid_mobile

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts
    from gateway.web.session import Session

PHONES_A_DAY = 5
ZONE = ZoneInfo("Asia/Shanghai")


class Sessions:
    """The operations of sessions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._proof = parts.proof

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        many = HTTPStatus.TOO_MANY_REQUESTS
        return (
            Operation("POST", "/sessions", "begin_session", "取得一个匿名会话", self.begin, {HTTPStatus.CREATED: Token}, session=False),
            Operation(
                "POST", "/sessions/wechat", "sign_in", "用小程序的登录凭证换成本人的会话", self.sign_in,
                {HTTPStatus.CREATED: Token}, body=SignIn, session=False,
                problems=(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
            ),
            Operation(
                "POST", "/session/wechat/phone", "prove_wechat_phone", "用微信给的凭证证明手机号", self.prove_by_wechat,
                {HTTPStatus.OK: PhoneOut}, body=WeChatCode, problems=(HTTPStatus.CONFLICT,),
            ),
            Operation("GET", "/session", "show_session", "看会话", self.show, {HTTPStatus.OK: Me}),
            Operation("DELETE", "/session", "end_session", "结束会话：忘掉记住的一切，令牌作废", self.end, {HTTPStatus.NO_CONTENT: None}),
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

    async def sign_in(self, call: Call, body: SignIn) -> Reply:
        """Give whoever brings a fresh login code a new session that is his own."""
        channel = self._parts.signs.get(body.account)
        if channel is None:
            raise Wrong(HTTPStatus.NOT_FOUND, "no-account", "这里没有这个小程序账号。")
        try:
            user = await channel.sign_in(body.code)
        except SignInError as error:
            raise _not_signed_in(error.reason) from error
        person = Address(body.account, user)
        call.session = replace(self._parts.sessions.begin(PROVED), person=person)
        call.keep(Memory(person=person))
        return Reply(self._token(call.session), HTTPStatus.CREATED)

    async def prove_by_wechat(self, call: Call, body: WeChatCode) -> Reply:
        """Bind the telephone that WeChat proves to who is signed in."""
        person = call.session.person
        channel = self._parts.channels.get(person.account) if person is not None else None
        if person is None or not isinstance(channel, ProvesPhones):
            raise Wrong(HTTPStatus.CONFLICT, "not-signed-in", "请先在小程序里登录。")
        # WeChat is paid for each; nobody has so many telephones.
        if await self._parts.limits.over(Limit("wechat phone", person.user, PHONES_A_DAY, DAY)):
            detail = "今天换手机号的次数较多了，请明天再试，或用短信验证码。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-many-phones", detail, retry_after=3600)
        try:
            phone = valid_mobile(await channel.phone_of(body.code))
        except SignInError as error:
            raise _not_signed_in(error.reason) from error
        if phone is None:
            raise invalid("/code", "微信给的不是大陆手机号，请用短信验证码。")
        await self._parts.office.bind(person, phone)
        call.keep(replace(call.memory, phone=phone))
        return Reply(PhoneOut(phone=mask_phone(phone)))

    async def show(self, call: Call) -> Reply:
        """Show the session."""
        phone = call.memory.phone
        csrf = self._parts.sessions.csrf(call.session)
        masked = mask_phone(phone) if phone else None
        return Reply(Me(until=local(instant(call.session.until)), phone=masked, csrf=csrf))

    async def end(self, call: Call) -> Reply:
        """Forget what was remembered and whose it was; the token opens nothing any more."""
        await end(self._parts.sessions, call.session)
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def ask(self, call: Call, body: PhoneIn) -> Reply:
        """Send a code to a telephone."""
        parts, phone = self._parts, valid_mobile(body.phone)
        if not parts.texts:
            raise Wrong(HTTPStatus.CONFLICT, "no-sms", "这里还不能发短信验证码，请用单号和查询码查询。")
        if phone is None:
            raise invalid("/phone", "这个手机号好像不对，请核对 11 位数字。")
        try:
            address = self._parts.gate.address(call.request)
            code = await self._proof.send(phone, call.session, address)
        except Refused as refused:
            detail = "验证码要得太多了，请过一会儿再试，或打热线电话查询。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-many-codes", detail, retry_after=720) from refused
        call.keep(replace(call.memory, code=code))
        return Reply(status=HTTPStatus.ACCEPTED)

    async def prove(self, call: Call, body: CodeIn) -> Reply:
        """Take the code: a right one gives a new session, whose own the telephone's cases are."""
        waiting = call.memory.code
        if waiting is None:
            raise Wrong(HTTPStatus.CONFLICT, "no-code", "请先取验证码。")
        try:
            call.session, memory = await self._proof.prove(call.session, call.memory, waiting, body.code)
        except Refused as refused:
            if refused.reason != LOCKED:
                raise invalid("/code", "验证码不对或已过期，请核对，或重新取一个。") from refused
            detail = "输错次数较多，请一小时后再试，或打热线电话查询。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "locked", detail, retry_after=3600) from refused
        call.keep(memory)
        return Reply(self._token(call.session))

    def _token(self, session: Session) -> Token:
        return Token(token=self._parts.sessions.token(session), until=local(instant(session.until)))


def local(at: datetime) -> datetime:
    """Return an instant as it is written here, to the second."""
    return at.astimezone(ZONE).replace(microsecond=0)


def reach(parts: Parts, call: Call) -> Address:
    """Return where a citizen is told of his cases: where he signed in, by SMS once he proved a telephone, else where he asks."""
    phone = call.memory.phone
    if call.session.person is not None:
        return call.session.person
    return Address(parts.texts, phone) if phone and parts.texts else call.session.address


def _not_signed_in(reason: SignInReason) -> Wrong:
    match reason:
        case SignInReason.CODE:
            detail = "登录凭证不对、已经用过或已过期，请重新进入小程序再试。"
            return Wrong(HTTPStatus.UNAUTHORIZED, "wrong-code", detail)
        case SignInReason.OFTEN:
            detail = "登录太频繁了，请过一分钟再试。"
            return Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-fast", detail, retry_after=60)
        case SignInReason.RISK:
            detail = "微信因安全原因没有让这个微信号登录，请拨打热线电话反映。"
            return Wrong(HTTPStatus.FORBIDDEN, "risky", detail)
        case SignInReason.AWAY:
            detail = "微信登录暂时不可用，请过一会儿再试；急事请拨打热线电话。"
            return Wrong(HTTPStatus.SERVICE_UNAVAILABLE, "provider-away", detail, retry_after=5)
