"""How far each account was read, kept in the database: what was read up to there is written down."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from gateway.store.tables import READ_TO
from normalizer.errors import Busy

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.store import Store


class Cursors:
    """Implements ``channels.contract.Cursors``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, account: str) -> str:
        """Return how far an account was read; empty at the beginning. Raises Busy."""
        try:
            return await self._store.read(partial(_get, account=account))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error

    async def put(self, account: str, cursor: str) -> None:
        """Note how far an account was read; raises Busy."""
        try:
            await self._store.write(partial(_put, account=account, cursor=cursor))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error


def _get(connection: Connection, account: str) -> str:
    query = select(READ_TO.c.cursor).where(READ_TO.c.account == account)
    return connection.execute(query).scalar() or ""


def _put(connection: Connection, account: str, cursor: str) -> None:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(READ_TO).values(account=account, cursor=cursor)
    change = statement.on_conflict_do_update(index_elements=[READ_TO.c.account], set_={"cursor": cursor})
    connection.execute(change)
