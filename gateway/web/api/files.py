"""Files: leave to upload some, those that lie ready, and what of them becomes a case's."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.media.uploads import GRANT_LIVES
from gateway.web.api.models import FileOut, Files, GrantOut
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.sessions import local
from normalizer.case import Attachment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.media.intake import Taken
    from gateway.media.uploads import Uploads
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts

TUS, FORM = "/uploads", "/uploads/form"


class Shelf:
    """A session's files before they are a case's, and the operations to bring them."""

    def __init__(self, parts: Parts, uploads: Uploads) -> None:
        self._parts = parts
        self._uploads = uploads

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        return (
            Operation("POST", "/uploads", "grant_upload", "取得上传文件的许可", self.grant, {HTTPStatus.CREATED: GrantOut}),
            Operation("GET", "/uploads", "list_uploads", "看已上传、还没有提交的文件", self.listed, {HTTPStatus.OK: Files}),
        )  # fmt: skip

    async def grant(self, call: Call) -> Reply:
        """Give leave to upload: by tus (resumable) or by a form."""
        until = local(self._parts.now() + GRANT_LIVES - timedelta(seconds=1))
        token = self._uploads.grant(self._owner(call))
        told = GrantOut(grant=token, until=until, tus=TUS, form=FORM, largest=self._uploads.largest)
        return Reply(told, HTTPStatus.CREATED)

    async def listed(self, call: Call) -> Reply:
        """Return the files that lie ready."""
        return Reply(Files(files=tuple(_shown(taken) for taken in await self._mine(call))))

    async def found(self, call: Call, keys: Sequence[str]) -> dict[str, Attachment]:
        """Return those of the session's files that are named, by their keys."""
        mine = {taken.key: taken for taken in await self._mine(call)} if keys else {}
        return {key: attachment(mine[key]) for key in keys if key in mine}

    async def give(self, call: Call, number: str, keys: Sequence[str]) -> None:
        """Make a session's files those of a case."""
        if keys:
            await self._uploads.attach(self._owner(call), number, keys)

    async def _mine(self, call: Call) -> tuple[Taken, ...]:
        return await self._uploads.of(self._owner(call))

    def _owner(self, call: Call) -> str:
        # An owner can be read in a grant, so it is the conversation's name, which tells nothing of the session.
        return f"session-{self._parts.sessions.conversation(call.session).hex()}"


def attachment(taken: Taken) -> Attachment:
    """Return a file that was taken in as it stands in a case."""
    return Attachment(taken.kind.value, "", name=taken.name, mime=taken.mime, size=taken.size, blob=taken.key)


def _shown(taken: Taken) -> FileOut:
    return FileOut(key=taken.key, kind=taken.kind.value, name=taken.name, mime=taken.mime, size=taken.size)
