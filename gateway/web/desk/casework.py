"""The desk's case work joined: every operation of cases and tools, from a gateway's rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.desk.cases import CaseDesk
from gateway.desk.drafts import Drafts
from gateway.desk.grams import Grams
from gateway.desk.indexing import Indexing
from gateway.desk.replies import Replies
from gateway.desk.search import Search
from gateway.desk.views import Views
from gateway.profile import city
from gateway.runtime import Ids
from gateway.web.desk.cases import Cases
from gateway.web.desk.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from channels.contract import Channel
    from gateway.cases.book import CaseBook
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.profile import Profiles
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.desk.operations import Operation


@dataclass(frozen=True, slots=True)
class Casework:
    """The rooms that the case work leans on; ``sms`` is the account that carries text messages, empty for none."""

    store: Store
    sealer: Sealer
    book: CaseBook
    office: Office
    lookup: Lookup
    profiles: Profiles
    channels: Mapping[str, Channel]
    sms: str
    now: Callable[[], datetime]

    def case_desk(self) -> CaseDesk:
        """Return what opens and moves cases."""
        return CaseDesk(
            store=self.store,
            sealer=self.sealer,
            book=self.book,
            office=self.office,
            profiles=self.profiles,
            channels=self.channels,
            sms=self.sms,
        )

    def indexing(self) -> Indexing:
        """Return what keeps the index of the search; ``catch_up`` is to be run every few seconds beside the pages."""
        return Indexing(self.store, self.sealer, self.book, Grams(self.sealer))

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations of the case work, for the desk's door."""
        store, sealer, ids, now = self.store, self.sealer, Ids(), self.now
        desk = self.case_desk()
        work = Work(
            store=store,
            search=Search(store, sealer, self.book, Grams(sealer)),
            replies=Replies(store, now),
            drafts=Drafts(store, sealer, now),
            views=Views(store, ids, now),
            desk=desk,
            city=city(self.profiles.current),
            now=now,
        )
        return (*Cases(desk, self.lookup, store, ids, now).operations(), *work.operations())
