"""What the hotline has of somebody, and what he may do with it (PIPL 44-47, domain.md 1.10); for pages and apps alike.

A name or another telephone is added to his open cases as a supplement, which the unit reads; where that would say more
than it should (a confidential case) or something else (a case that waits for material), and for deletion, a person
settles it: ``jiesu requests list``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.runtime import Ids, instant, millis
from gateway.store import requests, transcript
from gateway.store.rows import Conflict
from gateway.web.limits import DAY, Limit
from gateway.web.portal.export import export
from gateway.web.said import said
from normalizer.case import OPEN, Actor, Command, Role, Stage, Verb
from normalizer.errors import NotFound, Refused
from normalizer.people import mask_name, mask_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.portal.memory import Memory
    from gateway.web.session import Session, Sessions
    from normalizer.case import Case

CORRECT, DELETE = "correct", requests.ERASE
KINDS = {CORRECT: "更正信息", DELETE: "删除信息"}
STATES = {
    requests.OPEN: "等待处理",
    requests.DONE: "已处理",
    requests.REFUSED: "没有同意，请打热线电话了解原因",
}
TOO_MANY, NOTHING_OPEN = "too_many_wishes", "nothing_open"
SHOWN, A_DAY, LINES = 20, 10, 60
CITIZEN = Actor(Role.CITIZEN)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of somebody, names and telephones masked."""

    count: int
    open: bool
    names: tuple[str, ...]
    phones: tuple[str, ...]
    firms: tuple[str, ...]


class Own:
    """One's own data."""

    def __init__(
        self,
        *,
        office: Office,
        lookup: Lookup,
        store: Store,
        sealer: Sealer,
        sessions: Sessions,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._office = office
        self._lookup = lookup
        self._store = store
        self._sealer = sealer
        self._sessions = sessions
        self._limits = limits
        self._now = now
        self._ids = Ids()

    async def kept(self, session: Session) -> Kept:
        """Return what is kept."""
        cases = await self._cases(session)
        people = [case.complainant for case in cases]
        return Kept(
            count=len(cases),
            open=any(case.stage in OPEN for case in cases),
            names=tuple(sorted({mask_name(each.name) for each in people if each.name})),
            phones=tuple(sorted({mask_phone(each.phone) for each in people if each.phone})),
            firms=tuple(sorted({each.org_name for each in people if each.org_name})),
        )

    async def requests(self, session: Session) -> list[tuple[str, str, datetime]]:
        """Return the wishes that were told: kind, how each stands, when."""
        conversation = self._sessions.conversation(session)
        rows = await self._store.read(partial(requests.of, conversation=conversation, limit=SHOWN))
        return [(KINDS[row.kind], STATES[row.state], instant(row.at)) for row in rows]

    async def correct(self, session: Session, memory: Memory, name: str, other: str) -> bool:
        """Take a right name or another telephone (either may be empty) for all open cases.

        Return whether the units were told of all; else a person settles some. Raises Refused (NOTHING_OPEN, TOO_MANY).
        """
        cases = [case for case in await self._cases(session) if case.stage in OPEN]
        if not cases:
            raise Refused(NOTHING_OPEN)
        await self._count(session, memory)
        said = [f"称呼改为{name}"] * bool(name) + [f"备用电话{other}"] * bool(other)
        words = f"更正联系方式：{'，'.join(said)}。"
        left = [case for case in cases if not await self._supplemented(case, words)]
        if left:
            await self._ask(session, memory, CORRECT, words, left)
        return not left

    async def delete(self, session: Session, memory: Memory, text: str) -> None:
        """Take the wish to have everything deleted; a person decides what the archive rules let go; raises Refused."""
        await self._count(session, memory)
        await self._ask(session, memory, DELETE, text, await self._cases(session))

    async def data(self, session: Session, memory: Memory) -> dict[str, Any]:
        """Return everything; whole to who proved his telephone, else names and numbers masked; raises Refused."""
        await self._count(session, memory)
        conversation = self._sessions.conversation(session)
        work = partial(transcript.lines, conversation=conversation, after=bytes(16), limit=LINES)
        return export(
            phone=memory.phone,
            form=memory.form,
            cases=[(case, await self._lookup.log(case.case_no)) for case in await self._cases(session)],
            talk=[said(line, self._sealer) for line in await self._store.read(work)],
            requests=await self.requests(session),
            now=self._now(),
        )

    async def _cases(self, session: Session) -> tuple[Case, ...]:
        return await self._lookup.own(self._sessions.conversation(session))

    async def _supplemented(self, case: Case, words: str) -> bool:
        """Add the words to a case where its unit may read them and they say no more than they mean."""
        if case.secret or case.stage is Stage.NEED_INFO:
            return False
        try:
            await self._office.act(case.case_no, Command(Verb.SUPPLEMENT, CITIZEN, text=words))
        except (Refused, NotFound, Conflict):
            return False
        return True

    async def _ask(
        self, session: Session, memory: Memory, kind: str, text: str, cases: Sequence[Case]
    ) -> None:
        wish = {"text": text, "cases": [case.case_no for case in cases], "phone": memory.phone}
        await self._store.write(
            partial(
                requests.add,
                row_id=self._ids(),
                at=millis(self._now()),
                conversation=self._sessions.conversation(session),
                kind=kind,
                body=self._sealer.seal(json.dumps(wish, ensure_ascii=False).encode()),
            )
        )

    async def _count(self, session: Session, memory: Memory) -> None:
        if await self._limits.over(Limit("me", memory.phone or session.id, A_DAY, DAY)):
            raise Refused(TOO_MANY)
