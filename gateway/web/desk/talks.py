"""The verbs of the desk by HTTP: each names the epoch under which its caller saw the talk, and answers with its row."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway import actors
from gateway.desk.moves import Doubted, Refused, Why
from gateway.desk.rights import Right, may
from gateway.desk.views import STANDING, Looker
from gateway.runtime import millis
from gateway.sending import Prepared
from gateway.store import desk as talks
from gateway.store import desk_reads, lists
from gateway.web.desk import models as m
from gateway.web.desk.operations import Call, Operation, Reply, talk_id
from gateway.web.desk.problems import doubted, invalid, refused, unknown
from gateway.web.desk.reading import PAGE, local

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.desk.desk import Desk
    from gateway.desk.drafts import Drafts
    from gateway.desk.hands import Held
    from gateway.desk.views import Views
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.desk.files import Files
    from gateway.web.desk.reading import Reading

SEEN_MS = 25_000
"""Milliseconds that somebody is shown beside a talk after his page last said that he looks at it."""
_ID = 16


class Talks:
    """The list, one talk, and what is done with it."""

    def __init__(
        self,
        *,
        desk: Desk,
        reading: Reading,
        store: Store,
        sealer: Sealer,
        ids: Callable[[], bytes],
        now: Callable[[], datetime],
        looked: Callable[[bytes], None],
        drafts: Drafts,
        views: Views,
        files: Files,
    ) -> None:
        self._desk = desk
        self._reading = reading
        self._store = store
        self._sealer = sealer
        self._ids = ids
        self._now = now
        self._looked = looked
        self._drafts = drafts
        self._views = views
        self._files = files

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        read, answer = Right.READ_TALKS, Right.REPLY
        at = "/talks/{id}"
        return (
            Operation("GET", "/queue", self.queue, read, query=m.Asked),
            Operation("GET", at, self.show, read),
            Operation("GET", f"{at}/lines", self.older, read, query=m.Before),
            Operation("POST", f"{at}/take", self.take, answer, body=m.Take),
            Operation("POST", f"{at}/accept", self.accept, answer, body=m.Bare),
            Operation("POST", f"{at}/decline", self.decline, answer, body=m.Bare),
            Operation("POST", f"{at}/hold", self.hold, answer, body=m.Bare),
            Operation("POST", f"{at}/unhold", self.unhold, answer, body=m.Bare),
            Operation("POST", f"{at}/back", self.back, answer, body=m.Bare),
            Operation("POST", f"{at}/close", self.close, answer, body=m.Close),
            Operation("POST", f"{at}/transfer", self.transfer, Right.TRANSFER, body=m.Transfer),
            Operation("POST", f"{at}/assign", self.assign, Right.TAKE_OVER, body=m.Assignment),
            Operation("POST", f"{at}/boost", self.boost, Right.TAKE_OVER, body=m.Bare),
            Operation("POST", f"{at}/reply", self.reply, answer, body=m.Answer),
            Operation("POST", f"{at}/lines/{{line}}/undo", self.undo, answer, body=m.Bare),
            Operation("POST", f"{at}/note", self.note, Right.NOTE, body=m.Note),
            Operation("POST", f"{at}/viewing", self.viewing, read, body=m.Looking),
            Operation("POST", f"{at}/reveal", self.reveal, Right.REVEAL),
        )

    async def queue(self, call: Call, asked: m.Asked) -> Reply:
        """Show a page of a view."""
        by = Looker(call.agent.id, call.agent.role, call.agent.groups)
        views = dict(STANDING) | {view.id.hex(): view.filter for view in await self._views.seen(by)}
        if asked.view not in views:
            raise unknown()
        where, skip = await self._views.conditions(views[asked.view], call.agent.id), int(asked.after)

        def work(connection: Connection) -> tuple[int, list[m.Row], bool]:
            # The cursor first: what happens while the page is read is told again, and missed by nobody.
            cursor, words, placed = talks.last_event(connection), asked.q.strip(), asked.view == "waiting"
            return cursor, *self._reading.page(connection, where, placed=placed, words=words, skip=skip)

        cursor, rows, more = await self._store.read(work)
        begun = {talk.hex() for talk in await self._drafts.talks(call.agent.id)}
        items = tuple(row.model_copy(update={"draft": True}) if row.id in begun else row for row in rows)
        after, counts = str(skip + PAGE) if more else None, await self._views.counts(by)
        return Reply(m.Page(items=items, counts=counts, cursor=str(cursor), after=after))

    async def show(self, call: Call) -> Reply:
        """Open a talk; nothing changes by it (T25)."""
        found = await self._store.read(partial(self._reading.talk, conversation=_talk(call)))
        if found is None:
            raise unknown()
        lines = _without_whispers(found.lines, found.row, call)
        draft = await self._drafts.find(call.agent.id, _talk(call))
        begun = m.Draft(text=draft.text, note=draft.note)
        return Reply(found.model_copy(update={"lines": lines, "draft": begun}))

    async def older(self, call: Call, asked: m.Before) -> Reply:
        """Show older lines."""
        conversation = _talk(call)

        def work(connection: Connection) -> tuple[m.Lines, list[m.Row]]:
            rows = self._reading.rows(connection, [conversation])
            return self._reading.older(connection, conversation, asked.before), rows

        found, rows = await self._store.read(work)
        if not rows:
            raise unknown()
        return Reply(found.model_copy(update={"lines": _without_whispers(found.lines, rows[0], call)}))

    async def take(self, call: Call, given: m.Take) -> Reply:
        """Take a talk."""
        if given.over:
            return await self._done(await self._desk.take_over(call.agent.id, _talk(call), given.epoch))
        return await self._done(await self._desk.take(call.agent.id, _talk(call), given.epoch))

    async def accept(self, call: Call, given: m.Bare) -> Reply:
        """Accept an offer."""
        return await self._done(await self._desk.accept(call.agent.id, _talk(call), given.epoch))

    async def decline(self, call: Call, given: m.Bare) -> Reply:
        """Decline an offer."""
        return await self._done(await self._desk.decline(call.agent.id, _talk(call), given.epoch))

    async def hold(self, call: Call, given: m.Bare) -> Reply:
        """Put a talk on hold."""
        return await self._done(await self._desk.hold(call.agent.id, _talk(call), given.epoch, held=True))

    async def unhold(self, call: Call, given: m.Bare) -> Reply:
        """Take a talk off hold."""
        return await self._done(await self._desk.hold(call.agent.id, _talk(call), given.epoch, held=False))

    async def back(self, call: Call, given: m.Bare) -> Reply:
        """Return a talk to the bot."""
        return await self._done(await self._desk.give_back(call.agent.id, _talk(call), given.epoch))

    async def close(self, call: Call, given: m.Close) -> Reply:
        """End a talk, or the talking."""
        end = self._desk.wrap_up if given.wrap_up else self._desk.close
        return await self._done(await end(call.agent.id, _talk(call), given.epoch))

    async def transfer(self, call: Call, given: m.Transfer) -> Reply:
        """Pass a talk on."""
        held = await self._desk.transfer(
            call.agent.id,
            _talk(call),
            given.epoch,
            to_agent=bytes.fromhex(given.to_agent) if given.to_agent else None,
            to_skill=given.to_skill,
            note=given.note,
        )
        return await self._done(held)

    async def assign(self, call: Call, given: m.Assignment) -> Reply:
        """Give a talk to an agent."""
        to = bytes.fromhex(given.to_agent)
        despite = frozenset(map(Why, given.despite))
        try:
            held = await self._desk.assign(call.agent.id, _talk(call), given.epoch, to, despite=despite)
        except Doubted as error:
            raise doubted(error.doubts) from error
        return await self._done(held)

    async def boost(self, call: Call, given: m.Bare) -> Reply:
        """Move a waiting talk up."""
        return await self._done(await self._desk.boost(call.agent.id, _talk(call), given.epoch))

    async def reply(self, call: Call, given: m.Answer) -> Reply:
        """Answer the citizen."""
        text, conversation = given.text.replace("\0", "").strip(), _talk(call)
        brought = [await self._files.ready(call.agent, conversation, key) for key in given.files]
        said = [Prepared(text), *brought] if text else brought
        if not said:
            raise invalid("/text", "请写点什么再发送。")
        rows = [
            await self._desk.reply(
                call.agent.id,
                conversation,
                given.epoch,
                each.text,
                f"{given.echo}.{at}" if at else given.echo,
                fields=each.fields,
            )
            for at, each in enumerate(said)
        ]
        await self._files.sent(conversation, given.files)
        return Reply(await self._line(conversation, rows[0].row, call), HTTPStatus.CREATED)

    async def undo(self, call: Call, given: m.Bare) -> Reply:
        """Take a reply back."""
        line = talk_id(call.named("line"))
        await self._desk.undo(call.agent.id, _talk(call), given.epoch, line)
        await self._files.taken_back(_talk(call), line)
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def note(self, call: Call, given: m.Note) -> Reply:
        """Write a note that the citizen never sees."""
        if given.whisper and not may(call.agent.role, Right.WHISPER):
            raise refused(Why.RIGHT)
        conversation = _talk(call)
        called = [bytes.fromhex(each) for each in given.mentions]
        event = await self._desk.note(
            call.agent.id, conversation, given.text, whisper=given.whisper, mentions=called
        )
        line = m.Line(
            id=f"e{event}",
            at=local(millis(self._now())),
            who="note",
            agent=m.Person(id=call.agent.id.hex(), name=call.agent.name),
            parts=(m.Piece(kind="text", text=given.text),),
            whisper=given.whisper,
        )
        return Reply(line, HTTPStatus.CREATED)

    async def viewing(self, call: Call, given: m.Looking) -> Reply:
        """Note who looks at a talk, and writes there."""
        until = millis(self._now()) + (SEEN_MS if given.here else 0)
        conversation = _talk(call)
        work = partial(
            desk_reads.look,
            conversation=conversation,
            agent=call.agent.id,
            typing=given.typing and given.here,
            until=until,
        )
        await self._store.write(work)
        self._looked(conversation)
        talk = await self._store.read(partial(talks.seen, conversation=conversation))
        if given.typing and talk is not None and talk.agent == call.agent.id:
            await self._files.types(conversation)
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def reveal(self, call: Call) -> Reply:
        """Show a citizen's name and telephone in full, and note who looked (PIPL 51)."""
        conversation = _talk(call)
        found = await self._store.read(partial(self._reading.revealed, conversation=conversation))
        if found is None:
            raise unknown()
        noted = partial(
            lists.looked,
            row_id=self._ids(),
            at=millis(self._now()),
            actor=actors.agent(call.agent.login),
            act="desk.reveal",
            subject=conversation.hex(),
        )
        await self._store.write(noted)
        return Reply(found)

    async def _done(self, held: Held) -> Reply:
        rows = await self._store.read(partial(self._reading.rows, conversations=[held.conversation]))
        return Reply(m.Done(row=rows[0]))

    async def _line(self, conversation: bytes, row: bytes, call: Call) -> m.Line:
        found = await self._store.read(partial(desk_reads.these, heard=(), wrote=(row,)))
        line = self._reading.line(conversation, found[0][1], {call.agent.id: call.agent.name})
        if line is None:
            raise Refused(Why.STATE)
        return line


def _talk(call: Call) -> bytes:
    return talk_id(call.named("id"))


def _without_whispers(lines: tuple[m.Line, ...], row: m.Row, call: Call) -> tuple[m.Line, ...]:
    """Leave out what a supervisor whispered to another."""
    holder = row.agent is not None and row.agent.id == call.agent.id.hex()
    if holder or may(call.agent.role, Right.WHISPER):
        return lines
    return tuple(line for line in lines if not line.whisper)
