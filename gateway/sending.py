"""What people at the desk send beside words: files, menus to tap, cards; and that somebody is writing.

Each is made ready first (the copy that leaves, the words for a channel that does not carry it) and then queued to a
talk's citizen, on whatever channel he is: WeChat brings the file, mail attaches it, others send the signed link.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bots import state as states
from bots.words import say
from channels.contract import SendError, Types
from gateway.media.intake import from_row
from gateway.media.links import Variant
from gateway.runtime import millis
from gateway.store import cases, conversations, short_links, transcript
from gateway.store import media as rows
from gateway.store.desk import AGENT_NOTICE
from gateway.store.rows import Rows
from normalizer.case import OPEN
from normalizer.errors import NotFound
from normalizer.media import safe_name
from normalizer.message import Card, Menu, Part, PartKind
from outbox.enclosed import Enclosed, dump, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from channels.contract import KeyValue
    from gateway.cases.book import CaseBook
    from gateway.media.intake import Taken
    from gateway.media.room import Room
    from gateway.store.conversations import Reach

log = structlog.get_logger()

LINKED = timedelta(days=7)
"""How long the link to a file opens."""
AGAIN_SECONDS = 5.0
"""Who is shown that somebody writes is not told so again for so long, however fast the agent types."""
_LEAVES = {PartKind.IMAGE: Variant.PREVIEW, PartKind.VIDEO: Variant.PLAY, PartKind.VOICE: Variant.PLAY}
"""Which copy leaves: it carries neither place nor maker. A document leaves as it is."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Something ready to be sent: ``text`` is said where it is not carried, ``fields`` is it, sealed, for the row."""

    text: str
    fields: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """Makes ready and queues; ``site`` is the address of our own pages, empty when they have none.

    ``kept`` is how long a file stays that was sent in a talk (domain.md 1.10).
    """

    room: Room
    book: CaseBook
    channels: Mapping[str, object]
    keys: KeyValue
    site: str
    now: Callable[[], datetime]
    queued: Callable[[], None]
    kept: timedelta

    async def file(self, conversation: bytes, owner: str, key: str) -> Prepared:
        """Make an owner's file ready for the citizen of a talk, who may open it from now on.

        Raises NotFound (no such talk or file), NotAccepted (it cannot be opened), Busy.
        """
        reach = await self._reach(conversation)
        to = rows.talk_owner(conversation)
        until = millis(self.now() + self.kept)
        found = await self.room.store.write(partial(rows.lend, owner=owner, key=key, to=to, until=until))
        if found is None:
            raise NotFound("no such file")
        taken = from_row(found, self.room.sealer)
        variant = _LEAVES.get(taken.kind, Variant.ORIGINAL)
        part = await self._leaving(taken, variant)
        link = self.site + await self._link(to, key, variant)
        words = "desk_file" if self.site or reach.account == "web" else "desk_file_kept"
        return self._ready(say(self._lang(reach), words, name=part.name, link=link), Enclosed(part=part))

    async def share(self, conversation: bytes, key: str) -> None:
        """Put a file that went to a talk's citizen among the files of the case that is open in it, kept as those are."""
        await self.room.store.write(
            partial(rows.share, conversation=conversation, key=key, stages=tuple(sorted(OPEN)))
        )

    async def unshare(self, conversation: bytes, row: bytes) -> None:
        """Take the file of an answer that was taken back from the case's again."""
        fields = await self.room.store.read(partial(transcript.fields_of, row=row))
        part = load(json.loads(self.room.sealer.open(fields))).part if fields else None
        if part is not None:
            await self.room.store.write(partial(rows.unshare, conversation=conversation, copy=part.blob))

    async def menu(self, conversation: bytes, menu: Menu) -> Prepared:
        """Make answers to tap ready; raises NotFound."""
        await self._reach(conversation)
        lines = (menu.head, *(f"{key} {label}" for key, label in menu.choices), menu.tail)
        return self._ready("\n".join(filter(None, lines)), Enclosed(menu=menu))

    async def card(self, conversation: bytes, card: Card, text: str) -> Prepared:
        """Make a page of a mini-program ready, its picture by its key in the store; ``text`` says as much in words."""
        await self._reach(conversation)
        return self._ready(text, Enclosed(card=card))

    async def queue(self, conversation: bytes, prepared: Prepared, *, case_no: str = "") -> bytes:
        """Queue what was made ready to the citizen of a talk, whoever holds it, and return the row's id.

        The desk's own ``reply`` takes the same in the name of who holds the talk. Raises NotFound.
        """
        reach = await self._reach(conversation)
        row = self.book.promise(
            conversation, reach.account, AGENT_NOTICE, prepared.text, self.now(), case_no=case_no
        )._replace(fields=prepared.fields)
        await self.room.store.write(partial(cases.save, rows=Rows(outgoing=[row])))
        self.queued()
        return row.id

    async def types(self, conversation: bytes) -> bool:
        """Show a citizen that somebody writes to him; False where his channel cannot, or not now. May be called often."""
        reach = await self._reach(conversation)
        channel, key = self.channels.get(reach.account), f"typing:{conversation.hex()}"
        if not isinstance(channel, Types) or await self.keys.get(key):
            return False
        await self.keys.set(key, "1", AGAIN_SECONDS)
        try:
            await channel.types(self._user(reach))
        except SendError as error:
            log.info("desk.typing_not_shown", account=reach.account, reason=error.reason)
            return False
        return True

    async def rests(self, conversation: bytes) -> None:
        """Show a citizen no more that somebody writes to him."""
        reach = await self._reach(conversation)
        channel = self.channels.get(reach.account)
        if not isinstance(channel, Types):
            return
        await self.keys.delete(f"typing:{conversation.hex()}")
        try:
            await channel.rests(self._user(reach))
        except SendError as error:
            log.info("desk.typing_not_ended", account=reach.account, reason=error.reason)

    async def _link(self, owner: str, key: str, variant: Variant) -> str:
        """Return a short link to a copy of a file."""
        now = self.now()
        target = short_links.Target(owner, key, variant.value, millis(now + LINKED))
        add = partial(short_links.add, target=target, now=millis(now))
        return self.room.links.short(await self.room.store.write(add))

    async def _leaving(self, taken: Taken, variant: Variant) -> Part:
        """Return the copy of a file that leaves."""
        if variant is Variant.ORIGINAL:
            return replace(taken.part, seconds=taken.seconds)
        copy = await self.room.derive.copy_of(taken.owner, taken.key, variant)
        size = await self.room.blobs.size(copy.key)
        name = safe_name(taken.name.rpartition(".")[0] or taken.name, copy.mime)
        return Part(taken.kind, mime=copy.mime, name=name, size=size, blob=copy.key, seconds=taken.seconds)

    async def _reach(self, conversation: bytes) -> Reach:
        found = await self.room.store.read(partial(conversations.reach, conversation=conversation))
        if found is None:
            raise NotFound("no such talk")
        return found

    def _ready(self, text: str, enclosed: Enclosed) -> Prepared:
        return Prepared(text, self.room.sealer.seal(dump(enclosed)))

    def _lang(self, reach: Reach) -> str:
        return states.load(self.room.sealer.open(reach.state)).lang

    def _user(self, reach: Reach) -> str:
        return self.room.sealer.open(reach.address).decode()
