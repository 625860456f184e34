"""Saved views of the queue: one's own, a group's, everybody's, each with how many it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from bots.contract import Owner
from gateway.desk.moves import Refused, Why
from gateway.desk.rights import Role
from gateway.desk.search import CANDIDATES, LONGEST_QUERY
from gateway.runtime import millis
from gateway.store import views as sql
from normalizer.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from gateway.desk.search import Search
    from gateway.store.store import Store

OWN, ALL = "own", "all"
"""Who sees a view, beside the words of groups."""
MOST = 30
"""Views of one person."""
REMEMBERED = timedelta(seconds=5)
"""How long what was found of a text is taken for what is there; the index is as far behind."""
_LINE = Annotated[str, Field(max_length=40)]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a view shows of the talks that are the desk's: every condition that is set must hold.

    ``mine`` is whoever looks; ``text`` stands in the talk, its case or its files, among the newest that the search finds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    owners: tuple[Owner, ...] = ()
    skill: _LINE = ""
    account: _LINE = ""
    urgent: bool | None = None
    mine: bool = False
    waiting_minutes: Annotated[int, Field(ge=0, le=100_000)] = 0
    text: Annotated[str, Field(max_length=LONGEST_QUERY)] = ""


FILTER: TypeAdapter[Filter] = TypeAdapter(Filter)
_WITH_THE_DESK = (Owner.QUEUED, Owner.OFFERED, Owner.AGENT, Owner.WRAP_UP)
STANDING = {
    "mine": Filter(owners=(Owner.OFFERED, Owner.AGENT, Owner.WRAP_UP), mine=True),
    "waiting": Filter(owners=(Owner.QUEUED,)),
    "all": Filter(owners=_WITH_THE_DESK),
}
"""The views that are always there."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view."""

    id: bytes
    owner: bytes
    scope: str
    name: str
    filter: Filter = field(default_factory=Filter)


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looks: his id, role and groups."""

    id: bytes
    role: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Views:
    """Saves, drops and counts views; what was found of a text counts as long as the index takes to grow."""

    store: Store
    ids: Callable[[], bytes]
    now: Callable[[], datetime]
    search: Search
    _found: dict[str, tuple[datetime, tuple[bytes, ...]]] = field(default_factory=dict)

    async def save(self, by: Looker, name: str, scope: str, what: Filter) -> View:
        """Save a view; one for others is a supervisor's to give. Raises Refused, InvalidInput."""
        if scope != OWN and by.role != Role.SUPERVISOR.value:
            raise Refused(Why.RIGHT)
        if len([view for view in await self.seen(by) if view.owner == by.id]) >= MOST:
            raise InvalidInput(f"at most {MOST} views")
        body = FILTER.dump_json(what, exclude_defaults=True).decode()
        row = sql.ViewRow(self.ids(), by.id, scope, name, millis(self.now()), body)
        await self.store.write(lambda c: sql.add(c, row))
        return _view(row)

    async def drop(self, by: Looker, view: bytes) -> None:
        """Drop a view of one's own; raises NotFound."""
        if not await self.store.write(lambda c: sql.drop(c, view, by.id)):
            raise NotFound("no such view")

    async def seen(self, by: Looker) -> tuple[View, ...]:
        """Return the views that somebody sees: his own, his groups', everybody's."""
        rows = await self.store.read(lambda c: sql.seen_by(c, by.id, [*by.groups, ALL]))
        return tuple(map(_view, rows))

    async def counts(self, by: Looker) -> dict[str, int]:
        """Return how many talks each view shows: the standing ones by name, the saved ones by id."""
        wanted = dict(STANDING) | {view.id.hex(): view.filter for view in await self.seen(by)}
        asked = {key: await self.conditions(what, by.id) for key, what in wanted.items()}
        return await self.store.read(lambda c: {key: sql.count(c, where) for key, where in asked.items()})

    async def talks(self, by: Looker, what: Filter, limit: int = 200) -> list[bytes]:
        """Return the talks of a view, who waits longest first."""
        where = await self.conditions(what, by.id)
        return await self.store.read(lambda c: sql.talks(c, where, limit))

    async def conditions(self, what: Filter, me: bytes) -> list[ColumnElement[bool]]:
        """Return the conditions of a view for whoever looks, for the list of the queue."""
        waiting = what.waiting_minutes * 60_000
        return sql.conditions(
            owners=[owner.value for owner in what.owners or _WITH_THE_DESK],
            skill=what.skill,
            account=what.account,
            urgent=what.urgent,
            agent=me if what.mine else None,
            before=millis(self.now()) - waiting if waiting else None,
            among=await self._with(what.text) if what.text else None,
        )

    async def _with(self, text: str) -> tuple[bytes, ...]:
        """Return the talks in which a text stands."""
        now = self.now()
        for known, (at, _) in [*self._found.items()]:
            if now - at > REMEMBERED:
                del self._found[known]
        if text not in self._found:
            hits = await self.search.find(text, limit=CANDIDATES)
            talks = dict.fromkeys(hit.conversation for hit in hits if hit.conversation)
            self._found[text] = (now, tuple(talks))
        return self._found[text][1]


def _view(row: sql.ViewRow) -> View:
    return View(row.id, row.owner, row.scope, row.name, FILTER.validate_json(row.body))
