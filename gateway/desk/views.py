"""Saved views of the queue: one's own, a group's, everybody's, each with how many it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from bots.contract import Owner
from gateway.desk.moves import Refused, Why
from gateway.desk.rights import Role
from gateway.runtime import millis
from gateway.store import views as sql
from normalizer.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from gateway.store.store import Store

OWN, ALL = "own", "all"
"""Who sees a view, beside the words of groups."""
MOST = 30
"""Views of one person."""
_LINE = Annotated[str, Field(max_length=40)]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a view shows: every condition that is set must hold; ``mine`` is for whoever looks."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    owners: tuple[Owner, ...] = ()
    skill: _LINE = ""
    account: _LINE = ""
    urgent: bool | None = None
    mine: bool = False
    waiting_minutes: Annotated[int, Field(ge=0, le=100_000)] = 0


FILTER: TypeAdapter[Filter] = TypeAdapter(Filter)
STANDING = {
    "mine": Filter(owners=(Owner.OFFERED, Owner.AGENT, Owner.WRAP_UP), mine=True),
    "waiting": Filter(owners=(Owner.QUEUED,)),
    "all": Filter(owners=(Owner.QUEUED, Owner.OFFERED, Owner.AGENT, Owner.WRAP_UP)),
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
    """Saves, drops and counts views."""

    store: Store
    ids: Callable[[], bytes]
    now: Callable[[], datetime]

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
        asked = {key: self.conditions(what, by.id) for key, what in wanted.items()}
        return await self.store.read(lambda c: {key: sql.count(c, where) for key, where in asked.items()})

    async def talks(self, by: Looker, what: Filter, limit: int = 200) -> list[bytes]:
        """Return the talks of a view, who waits longest first."""
        where = self.conditions(what, by.id)
        return await self.store.read(lambda c: sql.talks(c, where, limit))

    def conditions(self, what: Filter, me: bytes) -> list[ColumnElement[bool]]:
        """Return the conditions of a view for whoever looks, for the list of the queue."""
        waiting = what.waiting_minutes * 60_000
        return sql.conditions(
            owners=[owner.value for owner in what.owners],
            skill=what.skill,
            account=what.account,
            urgent=what.urgent,
            agent=me if what.mine else None,
            before=millis(self.now()) - waiting if waiting else None,
        )


def _view(row: sql.ViewRow) -> View:
    return View(row.id, row.owner, row.scope, row.name, FILTER.validate_json(row.body))
