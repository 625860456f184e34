"""Bring a database's tables up to date, step by step (Alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FOLDER = Path(__file__).with_name("migrations")
_LOCK = 44_189_2024
"""The number of the advisory lock that keeps processes which start together from migrating together."""


def upgrade(connection: Connection, to: str = "head") -> str:
    """Take every step up to a version that is still to be taken, on this connection, and return the version."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if current(connection) != head():
        command.upgrade(_config(connection), to)
    return current(connection)


def current(connection: Connection) -> str:
    """Return the version the tables have, empty for none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def head() -> str:
    """Return the version this program needs."""
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
