"""What providers say later of what was sent: matched by the names they gave it, whichever comes first.

A message in several parts is delivered when all are, and undelivered when one is not. The first final word stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from normalizer.message import Delivery
from outbox.tables import OUTGOING, SENT_AS, OutState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from normalizer.message import Receipt

DETAIL_CHARS = 200
_FINAL = (Delivery.DELIVERED.value, Delivery.FAILED.value)


def sent(
    connection: Connection, account: str, names: Sequence[str], *, outgoing: bytes, case_no: str, at: int
) -> OutState | None:
    """Note under which names a message was sent; return what receipts that came before make of it."""
    for name in names:
        row = {"account": account, "name": name, "outgoing": outgoing, "case_no": case_no, "at": at}
        _put(connection, row, {"outgoing": outgoing, "case_no": case_no})
    return _conclude(connection, outgoing) if names else None


def came(connection: Connection, account: str, name: str, case_no: str, at: int) -> None:
    """Note the case that a received message is about, for those that follow it."""
    _put(connection, {"account": account, "name": name, "case_no": case_no, "at": at}, {"case_no": case_no})


def receive(connection: Connection, receipt: Receipt, at: int) -> OutState | None:
    """Write a receipt down and return what its message has become, None when that is not known or did not change."""
    said = {"delivery": receipt.delivery.value, "detail": _clean(receipt.detail), "at": at}
    _put(connection, {"account": receipt.account, "name": receipt.provider_id}, {}, said)
    key = (SENT_AS.c.account == receipt.account, SENT_AS.c.name == receipt.provider_id)
    change = update(SENT_AS).where(*key, SENT_AS.c.delivery.not_in(_FINAL)).values(said)
    outgoing = connection.execute(change.returning(SENT_AS.c.outgoing)).scalar()
    return _conclude(connection, outgoing) if outgoing is not None else None


def case_of(connection: Connection, account: str, names: Sequence[str]) -> str:
    """Return the case that a message under one of these names was about, the first name's first; empty when unknown."""
    if not names:
        return ""
    query = select(SENT_AS.c.name, SENT_AS.c.case_no).where(
        SENT_AS.c.account == account, SENT_AS.c.name.in_(names), SENT_AS.c.case_no != ""
    )
    found = {row.name: row.case_no for row in connection.execute(query)}
    return next((found[name] for name in names if name in found), "")


def _put(
    connection: Connection, row: dict[str, Any], change: dict[str, Any], rest: dict[str, Any] | None = None
) -> None:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"at": 0} | row | {name: value for name, value in (rest or {}).items() if name == "at"}
    statement = insert(SENT_AS).values(values)
    key = [SENT_AS.c.account, SENT_AS.c.name]
    done = statement.on_conflict_do_update(index_elements=key, set_=change) if change else None
    connection.execute(done if done is not None else statement.on_conflict_do_nothing(index_elements=key))


def _conclude(connection: Connection, outgoing: bytes) -> OutState | None:
    query = select(SENT_AS.c.delivery, SENT_AS.c.detail).where(SENT_AS.c.outgoing == outgoing)
    parts = connection.execute(query).all()
    failed = [part.detail for part in parts if part.delivery == Delivery.FAILED]
    if failed:
        state, outcome = OutState.UNDELIVERED, failed[0]
    elif all(part.delivery == Delivery.DELIVERED for part in parts):
        state, outcome = OutState.DELIVERED, ""
    else:
        return None
    known = OUTGOING.c.state.in_((OutState.SENT, OutState.UNKNOWN))
    change = update(OUTGOING).where(OUTGOING.c.id == outgoing, known).values(state=state, outcome=outcome)
    return state if connection.execute(change).rowcount else None


def _clean(detail: str) -> str:
    return detail[:DETAIL_CHARS].replace("\0", "").encode("utf-8", "replace").decode()
