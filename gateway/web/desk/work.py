"""The desk's tools by HTTP: search, replies at hand, warnings before sending, drafts, saved views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from gateway.desk.drafts import Draft
from gateway.desk.replies import preview
from gateway.desk.rights import Right
from gateway.desk.search import Kind
from gateway.desk.views import OWN, STANDING, Filter, Looker
from gateway.desk.wording import warnings
from gateway.runtime import instant
from gateway.store import cases as case_rows
from gateway.web.desk.case_models import STRICT, local
from gateway.web.desk.operations import Call, Operation, Reply, talk_id
from gateway.web.desk.problems import invalid
from normalizer.pinyin import initials

if TYPE_CHECKING:
    from collections.abc import Callable

    from bots.contract import City
    from gateway.desk.cases import CaseDesk
    from gateway.desk.drafts import Drafts
    from gateway.desk.replies import Replies
    from gateway.desk.search import Search
    from gateway.desk.views import View, Views
    from gateway.knowledge.book import Book
    from gateway.store.store import Store

SHORT = "请至少写两个字，查找按连着的字来找。"
OFF = "本站没有开启按词语查找，请留空。"
ENTRIES = 8
"""Entries of the knowledge base for one question."""
_ASKED = ConfigDict(frozen=True)
_LONG_TALK = "^(?:[0-9a-f]{32})?$"


class Query(BaseModel):
    """What is looked for."""

    model_config = _ASKED

    q: str = Field(default="", max_length=100)
    kind: Kind = Kind.ALL
    talk: str = Field(default="", pattern=_LONG_TALK)


class Found(BaseModel):
    """One thing found, masked; ``talk`` and ``line`` lead to a line, ``case_no`` to a case."""

    kind: Kind
    at: datetime
    snippet: str
    talk: str | None
    line: str | None
    case_no: str


class FoundAll(BaseModel):
    """What was found, newest first; ``by_words`` is false where words are not searched (``desk.search``)."""

    items: tuple[Found, ...]
    by_words: bool


class ReplyShown(BaseModel):
    """A reply at hand, filled with what is known of the talk; ``initials`` are for the command box."""

    id: str
    title: str
    initials: str
    text: str
    filled: str
    missing: tuple[str, ...]
    acts: tuple[str, ...]


class RepliesShown(BaseModel):
    """Replies at hand."""

    items: tuple[ReplyShown, ...]


class Entry(BaseModel):
    """An entry of the knowledge base that may be told now."""

    id: str
    title: str
    answer: str
    source: str


class Entries(BaseModel):
    """Entries of the knowledge base, the nearest first."""

    items: tuple[Entry, ...]


class Text(BaseModel):
    """A text that is about to be sent."""

    model_config = STRICT

    text: str = Field(max_length=5000)


class Warned(BaseModel):
    """One thing to look at before sending."""

    rule: str
    why: str
    words: str


class WarnedAll(BaseModel):
    """What to look at before sending; nothing is held back."""

    warnings: tuple[Warned, ...]


class DraftBody(BaseModel):
    """What an agent has begun to write."""

    model_config = STRICT

    text: str = Field(default="", max_length=4000)
    note: str = Field(default="", max_length=1000)


class NewView(BaseModel):
    """A view to be saved: for whom (own, a group's word, all) and what it shows."""

    model_config = STRICT

    name: str = Field(min_length=1, max_length=20)
    scope: str = Field(default=OWN, min_length=1, max_length=40)
    filter: Filter


class ViewShown(BaseModel):
    """A view with how many it shows; the standing ones have no name and cannot be dropped."""

    id: str
    name: str
    scope: str
    mine: bool
    count: int
    filter: Filter


class ViewsShown(BaseModel):
    """The views that somebody sees."""

    items: tuple[ViewShown, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """The operations of the desk's tools."""

    store: Store
    search: Search
    replies: Replies
    drafts: Drafts
    views: Views
    knowledge: Book
    desk: CaseDesk
    city: City
    now: Callable[[], datetime]

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        read, reply = Right.READ_TALKS, Right.REPLY
        return (
            Operation("GET", "/search", self.find, read, query=Query),
            Operation("GET", "/replies", self.find_replies, reply, query=Query),
            Operation("GET", "/knowledge", self.look_up, reply, query=Query),
            Operation("POST", "/check", self.check, reply, body=Text),
            Operation("GET", "/talks/{id}/draft", self.draft, reply),
            Operation("PUT", "/talks/{id}/draft", self.keep, reply, body=DraftBody, idle=True),
            Operation("GET", "/views", self.seen, read),
            Operation("POST", "/views", self.save, read, body=NewView),
            Operation("DELETE", "/views/{id}", self.drop, read),
        )

    async def find(self, call: Call, query: Query) -> Reply:
        """Answer what the words stand in."""
        hits = await self.search.find(query.q, query.kind)
        return Reply(
            FoundAll(
                items=tuple(
                    Found(
                        kind=hit.kind,
                        at=local(instant(hit.at)),
                        snippet=hit.snippet,
                        talk=hit.conversation.hex() if hit.conversation else None,
                        line=hit.line.hex() if hit.line else None,
                        case_no=hit.case_no,
                    )
                    for hit in hits
                ),
                by_words=self.search.by_words,
            )
        )

    async def find_replies(self, call: Call, query: Query) -> Reply:
        """Answer the replies at hand, filled for a talk where one is named."""
        found = await (self.replies.find(query.q) if query.q else self.replies.all())
        values = await self._values(call, query.talk)
        shown = []
        for reply in found:
            filled = preview(reply, values)
            shown.append(
                ReplyShown(
                    id=reply.id,
                    title=reply.title,
                    initials=initials(reply.title),
                    text=reply.text,
                    filled=filled.text,
                    missing=filled.missing,
                    acts=reply.acts,
                )
            )
        return Reply(RepliesShown(items=tuple(shown)))

    async def look_up(self, call: Call, query: Query) -> Reply:
        """Answer the entries of the knowledge base nearest to some words."""
        found = self.knowledge.search(query.q, limit=ENTRIES, now=self.now(), region=self.city.region)
        entries = (hit.entry for hit in found)
        return Reply(
            Entries(
                items=tuple(
                    Entry(id=each.id, title=each.title, answer=each.answer_short, source=each.source_unit)
                    for each in entries
                )
            )
        )

    async def check(self, call: Call, text: Text) -> Reply:
        """Answer what to look at before sending."""
        found = (Warned(rule=each.rule, why=each.why, words=each.words) for each in warnings(text.text))
        return Reply(WarnedAll(warnings=tuple(found)))

    async def draft(self, call: Call) -> Reply:
        """Answer one's own draft in a talk."""
        draft = await self.drafts.find(call.agent.id, talk_id(call.named("id")))
        return Reply(DraftBody(text=draft.text, note=draft.note))

    async def keep(self, call: Call, body: DraftBody) -> Reply:
        """Keep one's own draft in a talk."""
        await self.drafts.keep(call.agent.id, talk_id(call.named("id")), Draft(body.text, body.note))
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def seen(self, call: Call) -> Reply:
        """Answer the views with their counts."""
        by = looker(call)
        counts = await self.views.counts(by)
        standing = (
            ViewShown(id=key, name="", scope="all", mine=False, count=counts[key], filter=what)
            for key, what in STANDING.items()
        )
        saved = (_shown(view, by, counts.get(view.id.hex(), 0)) for view in await self.views.seen(by))
        return Reply(ViewsShown(items=(*standing, *saved)))

    async def save(self, call: Call, new: NewView) -> Reply:
        """Save a view."""
        by = looker(call)
        if new.filter.text and not self.search.finds(new.filter.text):
            raise invalid("/filter/text", SHORT if self.search.by_words else OFF)
        view = await self.views.save(by, new.name, new.scope, new.filter)
        counts = await self.views.counts(by)
        return Reply(_shown(view, by, counts[view.id.hex()]), HTTPStatus.CREATED)

    async def drop(self, call: Call) -> Reply:
        """Drop a view of one's own."""
        await self.views.drop(looker(call), talk_id(call.named("id")))
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def _values(self, call: Call, talk: str) -> dict[str, str]:
        """Return what the variables of replies stand for."""
        today = local(self.now())
        values = {
            "热线": self.city.hotline,
            "城市": self.city.name,
            "座席": call.agent.login,
            "今天": f"{today.month}月{today.day}日",
        }
        if not talk:
            return values
        conversation = talk_id(talk)
        form = (await self.desk.prefill(conversation)).form
        newest = await self.store.read(partial(case_rows.own, conversation=conversation, limit=1))
        return values | {"称呼": form.name, "单号": newest[0].case_no if newest else ""}


def looker(call: Call) -> Looker:
    """Return who looks at views."""
    return Looker(call.agent.id, call.agent.role.value, call.agent.groups)


def _shown(view: View, by: Looker, count: int) -> ViewShown:
    return ViewShown(
        id=view.id.hex(),
        name=view.name,
        scope=view.scope,
        mine=view.owner == by.id,
        count=count,
        filter=view.filter,
    )
