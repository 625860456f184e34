"""Who agreed to be sent which template: messages agreed to one by one, or until he agrees no more (wechat.md 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from outbox.tables import CONSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection


def note(
    connection: Connection, conversation: bytes, template: str, at: int, *, given: bool, once: bool
) -> None:
    """Note that a person agreed, to one message more or for good, or that he agrees no more."""
    here = (CONSENT.c.conversation == conversation, CONSENT.c.template == template)
    if not given:
        connection.execute(delete(CONSENT).where(*here))
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"conversation": conversation, "template": template, "count": 1 if once else None, "at": at}
    # Whoever agreed for good still does; one message more is added to those before.
    more = {"count": CONSENT.c.count + 1 if once else None, "at": at}
    key = [CONSENT.c.conversation, CONSENT.c.template]
    connection.execute(insert(CONSENT).values(row).on_conflict_do_update(index_elements=key, set_=more))


def of(connection: Connection, conversations: Iterable[bytes]) -> dict[bytes, frozenset[str]]:
    """Return the templates that each person may be sent now."""
    left = or_(CONSENT.c.count.is_(None), CONSENT.c.count > 0)
    query = select(CONSENT.c.conversation, CONSENT.c.template)
    found: dict[bytes, set[str]] = {}
    rows = connection.execute(query.where(CONSENT.c.conversation.in_(list(conversations)), left))
    for conversation, template in rows:
        found.setdefault(conversation, set()).add(template)
    return {conversation: frozenset(templates) for conversation, templates in found.items()}


def spend(connection: Connection, used: Sequence[tuple[bytes, str]]) -> None:
    """Take one message off what was agreed to one by one."""
    for conversation, template in used:
        here = (CONSENT.c.conversation == conversation, CONSENT.c.template == template)
        connection.execute(
            update(CONSENT).where(*here, CONSENT.c.count > 0).values(count=CONSENT.c.count - 1)
        )


def forget(connection: Connection, conversations: Sequence[bytes]) -> None:
    """Forget all that people agreed to, with their talks."""
    connection.execute(delete(CONSENT).where(CONSENT.c.conversation.in_(conversations)))


def end(connection: Connection, refused: Sequence[tuple[bytes, str]]) -> None:
    """Forget a consent that the provider says is none."""
    for conversation, template in refused:
        connection.execute(
            delete(CONSENT).where(CONSENT.c.conversation == conversation, CONSENT.c.template == template)
        )
