"""The desk's case work joined: every operation of cases and tools, from a gateway's rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.desk.abuse import Ladder
from gateway.desk.bulk import Bulk
from gateway.desk.cases import CaseDesk
from gateway.desk.drafts import Drafts
from gateway.desk.grams import Grams
from gateway.desk.history import History
from gateway.desk.indexing import Indexing
from gateway.desk.merge import Merging
from gateway.desk.replies import Replies
from gateway.desk.search import Search
from gateway.desk.views import Views
from gateway.profile import city
from gateway.runtime import Ids
from gateway.web.desk import choices
from gateway.web.desk.cases import Cases
from gateway.web.desk.people import People
from gateway.web.desk.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from channels.contract import Channel
    from gateway.cases.book import CaseBook
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.desk.desk import Desk
    from gateway.knowledge.book import Book
    from gateway.profile import Profiles
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.desk.operations import Operation


@dataclass(frozen=True, slots=True)
class Casework:
    """The rooms that the case work leans on.

    ``sms`` is the account that carries text messages, empty for none; ``by_words`` says whether words are searched.
    """

    store: Store
    sealer: Sealer
    book: CaseBook
    office: Office
    lookup: Lookup
    profiles: Profiles
    channels: Mapping[str, Channel]
    desk: Desk
    knowledge: Book
    sms: str
    now: Callable[[], datetime]
    by_words: bool = True

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

    def search(self) -> Search:
        """Return what finds talks and cases."""
        return Search(self.store, self.sealer, self.book, Grams(self.sealer), self.by_words)

    def views(self) -> Views:
        """Return the saved views."""
        return Views(self.store, Ids(), self.now, self.search())

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations of the case work, for the desk's door."""
        store, sealer, ids, now = self.store, self.sealer, Ids(), self.now
        desk = self.case_desk()
        work = Work(
            store=store,
            search=self.search(),
            replies=Replies(store, now),
            drafts=Drafts(store, sealer, now),
            views=self.views(),
            knowledge=self.knowledge,
            desk=desk,
            city=city(self.profiles.current),
            now=now,
        )
        people = People(
            store=store,
            history=History(store, self.book),
            merging=Merging(store, self.book, self.office, self.desk, ids, now),
            ladder=Ladder(store, sealer, self.book, ids, now, self._told),
            bulk=Bulk(self.desk, desk),
            rules=self.desk.rules,
            now=now,
        )
        cases = Cases(desk, self.lookup, store, ids, now)
        return (*cases.operations(), *work.operations(), *people.operations(), *choices.operations())

    def _told(self) -> None:
        self.desk.changed()
        self.desk.owed()
