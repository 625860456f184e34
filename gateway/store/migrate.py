"""Bring a database's tables up to date, step by step (Alembic)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FOLDER = Path(__file__).with_name("migrations")
_STEPS = _FOLDER / "versions"
_LOCK = 44_189_2024
"""The number of the advisory lock that keeps processes which start together from migrating together."""


def upgrade(connection: Connection, to: str = "head") -> str:
    """Take every step up to a version that is still to be taken, on this connection, and return the version."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if current(connection) != head():
        _take_steps(connection, to)
    return current(connection)


def current(connection: Connection) -> str:
    """Return the version the tables have, empty for none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


@cache
def head() -> str:
    """Return the version this program needs: the number of the newest step."""
    return max(step.name.partition("_")[0] for step in _STEPS.glob("[0-9]*.py"))


def _take_steps(connection: Connection, to: str) -> None:
    # Most starts find nothing to do, and Alembic is the dearest import of them all.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)
