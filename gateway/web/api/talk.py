"""The talk with the bot, or with the person who took it over: say something, and read what was said since."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.store import transcript
from gateway.web.api.models import MessageIn, MessageOut, Messages, Since
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, invalid
from gateway.web.api.sessions import local
from gateway.web.portal.guesses import TOO_MANY, Guesses
from gateway.web.said import said
from gateway.web.session import ACCOUNT
from normalizer.message import Address, InboundMessage, Part, PartKind, SourceChannel
from normalizer.text import is_empty

if TYPE_CHECKING:
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts

MOST = 60
"""Messages in one answer."""


class Talk:
    """The operations of the talk."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        return (
            Operation("POST", "/messages", "say", "说一句话", self.say, {HTTPStatus.ACCEPTED: None}, body=MessageIn),
            Operation("GET", "/messages", "list_messages", "看说了什么", self.listed, {HTTPStatus.OK: Messages}, query=Since),
        )  # fmt: skip

    async def say(self, call: Call, body: MessageIn) -> Reply:
        """Bring a message to the inbox; the answer is read by asking for what was said since."""
        if is_empty(body.text):
            raise invalid("/text", "请写一句话。")
        await self._guessed(call, body.text)
        now = self._parts.now()
        part = Part(PartKind.TEXT, text=body.text)
        raw = body.text.encode()
        message = InboundMessage(ACCOUNT, call.session.id, body.id, SourceChannel.WEB, now, now, (part,), raw)
        own = Address(ACCOUNT, call.session.id)
        await self._parts.office.restraint.carry(call.session.address, own)
        await self._parts.inbox.accept(message)
        return Reply(status=HTTPStatus.ACCEPTED)

    async def _guessed(self, call: Call, text: str) -> None:
        """Count numbers of others' cases; raises Wrong when too many were named."""
        conversation = self._parts.sessions.own(call.session)
        guesses = Guesses(self._parts.lookup, self._parts.limits)
        if await guesses.over(text, conversation, self._parts.gate.address(call.request)):
            many = HTTPStatus.TOO_MANY_REQUESTS
            raise Wrong(many, "too-many-numbers", TOO_MANY, retry_after=3600)

    async def listed(self, call: Call, query: Since) -> Reply:
        """Return what was said after a cursor, oldest first."""
        parts = self._parts
        conversation = parts.sessions.own(call.session)
        work = partial(
            transcript.since, conversation=conversation, after=bytes.fromhex(query.after), limit=MOST
        )
        lines = [said(line, parts.sealer) for line in await parts.store.read(work)]
        messages = tuple(
            MessageOut(id=line.id, mine=line.mine, at=local(line.at), text=line.text) for line in lines
        )
        return Reply(Messages(messages=messages, cursor=messages[-1].id if messages else query.after))
