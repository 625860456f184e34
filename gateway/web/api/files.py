"""Files: leave to upload some, those that lie ready, and what of them becomes a case's."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.media.links import Variant
from gateway.media.uploads import GRANT_LIVES
from gateway.web.api.models import FileOut, Files, GrantOut, MissingOut
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.sessions import local
from normalizer.case import Attachment
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.media.intake import Taken
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts

TUS, FORM = "/uploads", "/uploads/form"


class Shelf:
    """A session's files before they are a case's, and the operations to bring them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._uploads = parts.media.uploads

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
        owner, mine = self._owner(call), await self._mine(call)
        return Reply(Files(files=tuple(self.shown(owner, taken) for taken in mine)))

    async def of(self, number: str) -> tuple[FileOut, ...]:
        """Return the files of a case, oldest first; those that are still on their way are not among them (``missing``)."""
        return tuple(self.shown(number, taken) for taken in await self._uploads.of(number))

    async def missing(self, number: str) -> tuple[MissingOut, ...]:
        """Return the files of a case that are not here, oldest first."""
        found = await self._uploads.missing(number)
        return tuple(
            MissingOut(kind=each.kind, coming=each.coming, reason=each.reason, told=each.told)
            for each in found
        )

    async def found(self, call: Call, keys: Sequence[str]) -> dict[str, Attachment]:
        """Return those of the session's files that are named, by their keys."""
        mine = {taken.key: taken for taken in await self._mine(call)} if keys else {}
        return {key: attachment(mine[key]) for key in keys if key in mine}

    def shown(self, owner: str, file: Taken) -> FileOut:
        """Return a file of an owner, a case's number or a session's name, as an app is told of it."""
        pictured = file.kind in {PartKind.IMAGE, PartKind.VIDEO}
        preview = self._parts.media.links.sign(owner, file.key, Variant.PREVIEW) if pictured else None
        plays = file.kind in {PartKind.VOICE, PartKind.VIDEO}
        play = self._parts.media.links.sign(owner, file.key, Variant.PLAY) if plays else None
        return FileOut(
            key=file.key,
            kind=file.kind,
            name=file.name,
            mime=file.mime,
            size=file.size,
            preview=preview,
            play=play,
            words=(file.words or None) if file.kind is PartKind.VOICE else None,
        )

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
