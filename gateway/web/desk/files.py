"""Files that an agent sends with an answer: brought one by one, then named in the answer."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel

from gateway.desk.rights import Right
from gateway.media.links import Grant
from gateway.media.words import refusal
from gateway.web.desk import models as m
from gateway.web.desk.operations import Operation, Reply, talk_id
from gateway.web.desk.problems import invalid
from gateway.web.upload_form import chunks, parts_of
from normalizer.errors import InvalidInput, NotFound
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.desk.accounts import Account
    from gateway.media.uploads import Uploads
    from gateway.sending import Prepared, Sending
    from gateway.web.desk.operations import Call

LARGEST = 20 * 1024 * 1024
MANY = 200
"""The bytes of one file, and the files that one agent brings to one talk."""
UPLOAD_SECONDS = 120.0
BRINGING = timedelta(hours=1)


class Brought(BaseModel):
    """A file that lies ready: ``id`` names it in an answer."""

    model_config = m.STRICT

    id: str
    name: str
    mime: str
    size: int


class Files:
    """Takes an agent's files in, and makes them ready to be sent."""

    def __init__(self, *, uploads: Uploads, sending: Sending, now: Callable[[], datetime]) -> None:
        self._uploads = uploads
        self._sending = sending
        self._now = now

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        return (Operation("POST", "/talks/{id}/files", self.bring, Right.REPLY, patience=UPLOAD_SECONDS),)

    async def bring(self, call: Call) -> Reply:
        """Take in the file of a form; raises Wrong for a form without one and for a file that is not accepted."""
        owner = _owner(call.agent, talk_id(call.named("id")))
        grant = Grant(owner, MANY * LARGEST, MANY, int((self._now() + BRINGING).timestamp()))
        try:
            async for part in parts_of(call.request):
                if part.filename:
                    taken = await self._uploads.take(grant, chunks(part), part.filename)
                    made = Brought(id=taken.key, name=taken.name, mime=taken.mime, size=taken.size)
                    return Reply(made, HTTPStatus.CREATED)
        except NotAccepted as error:
            raise invalid("/file", refusal(error.breach)) from error
        except ValueError as error:
            raise invalid("/file", "请选一个文件再上传。") from error
        raise invalid("/file", "请选一个文件再上传。")

    async def ready(self, agent: Account, conversation: bytes, key: str) -> Prepared:
        """Make a file that an agent brought to a talk ready for its citizen; raises Wrong when there is none."""
        try:
            return await self._sending.file(conversation, _owner(agent, conversation), key)
        except (NotFound, InvalidInput) as error:
            raise invalid("/files", "文件已不在，请重新上传后再发送。") from error

    async def sent(self, conversation: bytes, keys: Sequence[str]) -> None:
        """Put what was sent among the files of the talk's open case."""
        for key in keys:
            await self._sending.share(conversation, key)

    async def taken_back(self, conversation: bytes, row: bytes) -> None:
        """Take what an answer brought from the case's files again."""
        await self._sending.unshare(conversation, row)

    async def types(self, conversation: bytes) -> None:
        """Show the citizen that somebody writes, where his channel can."""
        await self._sending.types(conversation)


def _owner(agent: Account, conversation: bytes) -> str:
    return f"desk:{agent.id.hex()}:{conversation.hex()}"
