"""Under which names providers have files of ours, kept in the database until they forget them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from gateway.runtime import millis
from gateway.store.tables import UPLOADED
from normalizer.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.store.store import Store


class Uploaded:
    """Implements ``channels.contract.Uploaded``."""

    def __init__(self, *, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def get(self, account: str, file: str) -> str:
        """Return the provider's name of a file, empty when it has none or has it no more. Raises Busy."""
        try:
            return await self._store.read(partial(_get, account=account, file=file, now=millis(self._now())))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error

    async def put(self, account: str, file: str, name: str, until: datetime) -> None:
        """Note the provider's name of a file; what it has forgotten meanwhile is forgotten here too. Raises Busy."""
        row = {"account": account, "file": file, "name": name, "until": millis(until)}
        try:
            await self._store.write(partial(_put, row=row, now=millis(self._now())))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error


def _get(connection: Connection, account: str, file: str, now: int) -> str:
    here = (UPLOADED.c.account == account, UPLOADED.c.file == file, UPLOADED.c.until > now)
    return connection.execute(select(UPLOADED.c.name).where(*here)).scalar() or ""


def _put(connection: Connection, row: dict[str, object], now: int) -> None:
    connection.execute(delete(UPLOADED).where(UPLOADED.c.account == row["account"], UPLOADED.c.until <= now))
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    change = insert(UPLOADED).values(row)
    fresh = {"name": row["name"], "until": row["until"]}
    connection.execute(change.on_conflict_do_update(index_elements=["account", "file"], set_=fresh))
