"""What a gateway that runs consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from channels.contract import Channel
from gateway.cases.book import CaseBook
from gateway.cases.lookup import Lookup
from gateway.cases.office import Office
from gateway.desk.accounts import Accounts
from gateway.desk.desk import Desk
from gateway.desk.drafts import Drafts
from gateway.desk.indexing import Indexing
from gateway.desk.line import Line
from gateway.fetching import Fetching
from gateway.forgetting import Forgetting
from gateway.inbox import Inbox
from gateway.knowledge.book import Book
from gateway.media.reading import Readable
from gateway.media.room import Room
from gateway.media.speech import Hearing
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.profile import Profiles
from gateway.safety import Safety
from gateway.sending import Sending
from gateway.store.seal import Sealer
from gateway.store.store import Store
from gateway.unions import Joining
from gateway.web.desk.vouching import Voucher
from outbox.sender import Sender


@dataclass(frozen=True, slots=True)
class Books:
    """The open database with its key, and the cases in it."""

    store: Store
    sealer: Sealer
    cases: CaseBook


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: what the pages, the command line and the sandbox may use of it."""

    books: Books
    office: Office
    lookup: Lookup
    channels: Mapping[str, Channel]
    inbox: Inbox
    pipeline: Pipeline
    sender: Sender
    metrics: Metrics
    cities: Profiles
    media: Room
    fetching: Fetching
    safety: Safety
    knowledge: Book
    reads: tuple[Readable, ...]
    joining: Joining
    hearing: Hearing | None
    desk: Desk
    drafts: Drafts
    indexing: Indexing | None
    sending: Sending
    line: Line
    accounts: Accounts
    voucher: Voucher | None
    forgetting: Forgetting
    app: web.Application
