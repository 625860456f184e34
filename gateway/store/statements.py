"""The statements of the hot tables, written once in SQLAlchemy Core and compiled once for the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects import sqlite

from gateway.store.tables import (
    ALERT,
    BINDING,
    CASE_EVENT,
    CASES,
    CONVERSATION,
    DATA_REQUEST,
    INBOX,
    KNOWLEDGE_GAP,
    KNOWLEDGE_VOTE,
    OUTGOING,
    WANTED,
)

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.sql.dml import UpdateBase

_DIALECT = sqlite.dialect(paramstyle="qmark")


def text_of(statement: UpdateBase) -> str:
    """Return the SQL of a statement with question marks, in the order of its parameters."""
    return str(statement.compile(dialect=_DIALECT))


def _insert(table: Table) -> str:
    return text_of(insert(table))


def _replace(table: Table, key: str, guard: str) -> str:
    """SET every column but the key, in table order; then the key and the guard's old value."""
    values: dict[str, Any] = {c.name: bindparam(f"new_{c.name}") for c in table.columns if c.name != key}
    where = (table.c[key] == bindparam("the_key"), table.c[guard] == bindparam("the_guard"))
    return text_of(update(table).where(*where).values(values))


INSERT_INBOX = _insert(INBOX)
INSERT_CONVERSATION = _insert(CONVERSATION)
INSERT_OUTGOING = _insert(OUTGOING) + " ON CONFLICT (notice_key) WHERE notice_key IS NOT NULL DO NOTHING"
REPLY_COLUMNS = (
    "id, conversation, account, case_no, epoch, body, next_at, created_at, sent_at, notice, state, route"
)
INSERT_REPLY = (
    f"INSERT INTO outgoing ({REPLY_COLUMNS})"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7, 'reply', 'sent', 'passive')"
)
INSERT_CASE = _insert(CASES)
INSERT_EVENT = _insert(CASE_EVENT)
INSERT_ALERT = _insert(ALERT)
INSERT_NAME = (
    "INSERT INTO sent_as (account, name, case_no, at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (account, name) DO UPDATE SET case_no = excluded.case_no"
)
INSERT_BINDING = (
    _insert(BINDING) + " ON CONFLICT (conversation) DO UPDATE SET person = excluded.person, at = excluded.at"
)
ADD_VOTES = (
    " ON CONFLICT (entry) DO UPDATE SET helpful = knowledge_vote.helpful + excluded.helpful,"
    " unhelpful = knowledge_vote.unhelpful + excluded.unhelpful"
)
ADD_GAPS = (
    " ON CONFLICT (question) DO UPDATE SET asked = knowledge_gap.asked + excluded.asked,"
    " last_at = excluded.last_at"
)
INSERT_VOTE = _insert(KNOWLEDGE_VOTE) + ADD_VOTES
INSERT_GAP = _insert(KNOWLEDGE_GAP) + ADD_GAPS
INSERT_WISH = _insert(DATA_REQUEST)
INSERT_WANTED = _insert(WANTED) + " ON CONFLICT (ref) DO NOTHING"
FILE_WANTED = "UPDATE wanted SET case_no = ? WHERE ref = ?"
FILE_MEDIA = (
    "UPDATE media SET owner = ?, expires_at = NULL"
    " WHERE owner = ? AND key = coalesce((SELECT nullif(key, '') FROM wanted WHERE ref = ?), ?)"
    " AND NOT EXISTS (SELECT 1 FROM media AS there WHERE there.owner = ? AND there.key = media.key)"
)
ADD_WAIT = (
    " ON CONFLICT (conversation) DO UPDATE SET rank = excluded.rank, weight = excluded.weight,"
    " waiting_since = CASE WHEN excluded.rank IS NULL THEN NULL"
    " ELSE coalesce(desk_talk.waiting_since, excluded.waiting_since) END, agent = NULL, only_for = NULL, held = false, clock = '',"
    " due_at = NULL, refused = NULL"
)
INSERT_WAIT = (
    "INSERT INTO desk_talk (conversation, rank, weight, waiting_since, held, clock)"
    f" VALUES (?, ?, ?, ?, false, ''){ADD_WAIT}"
)
# An offer's clock runs on; every other one is the agent's again, and what was on hold is so no more.
HEARD = (
    "waiting_since = coalesce(desk_talk.waiting_since, {0}), held = false,"
    " due_at = CASE WHEN clock IN ('offer', 'silent') THEN due_at ELSE {1} END,"
    " clock = CASE WHEN clock = 'offer' THEN clock ELSE 'silent' END"
)
UPDATE_HEARD = f"UPDATE desk_talk SET {HEARD.format('?', '?')} WHERE conversation = ?"
DESK_EVENT_COLUMNS = "at, conversation, kind, owner, epoch, agent, actor, detail, note"
INSERT_DESK_EVENT = (
    f"INSERT INTO desk_event (id, {DESK_EVENT_COLUMNS})"
    " SELECT coalesce(max(id), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM desk_event"
)
UPDATE_RATED = (
    "UPDATE service_rating SET score = ?, rated_at = ?"
    " WHERE conversation = ? AND began_at = ? AND score IS NULL"
)
DELETE_BIND_CODE = "DELETE FROM bind_code WHERE code = ?"
UPDATE_CONVERSATION = _replace(CONVERSATION, "id", "version")
UPDATE_TALK = (
    "UPDATE conversation SET version = ?, state = ?, waiting = ?, window_until = ?, window_left = ?, last_in_at = ?"
    " WHERE id = ? AND version = ?"
)
UPDATE_CASE = _replace(CASES, "case_no", "rev")
UPDATE_TURNED = text_of(
    update(INBOX)
    .where(INBOX.c.id == bindparam("the_id"))
    .values({c: bindparam(f"new_{c}") for c in ("state", "error", "reply", "case_no")}),
)
UPDATE_WRITTEN = (
    "UPDATE outgoing SET state = 'sent', route = 'passive', sent_at = ? WHERE id = ? AND state <> 'sent'"
)
_GIVEN = "route = 'passive' AND state IN ('sent', 'passive')"
UPDATE_RELEASED = (
    f"UPDATE outgoing SET state = 'queued', next_at = ?, sent_at = NULL WHERE id = ? AND {_GIVEN}"
)
UPDATE_DOUBTED = (
    "UPDATE outgoing SET state = 'passive', lease_until = ?, sent_at = NULL"
    " WHERE id = ? AND route = 'passive' AND state = 'sent'"
)
INSERT_FLIGHT = "INSERT INTO flight (id, lease_until, members) VALUES (?, ?, ?)"
DELETE_FLIGHT = "DELETE FROM flight WHERE id = ?"
UPDATE_CLAIM = "UPDATE outgoing SET state = 'passive', route = 'passive', lease_until = ? WHERE id = ? AND state = 'queued'"
SELECT_CONVERSATIONS = "SELECT * FROM conversation WHERE id IN ({})"
# CROSS JOIN keeps the keys outside: asked as a row value IN a list, SQLite would scan the whole inbox.
SELECT_KNOWN = (
    "WITH k(conversation, external_id) AS (VALUES {})"
    " SELECT i.conversation, i.external_id, i.id, i.state, i.reply, o.state, o.route, o.attempts, o.body"
    " FROM k CROSS JOIN inbox i ON i.conversation = k.conversation AND i.external_id = k.external_id"
    " LEFT JOIN outgoing o ON o.id = i.reply"
)
# Of all conversations of the same person; one that is bound to nobody is alone.
SELECT_OWN = (
    "SELECT * FROM cases WHERE conversation IN (SELECT ?1 UNION SELECT b.conversation FROM binding me"
    " JOIN binding b ON b.person = me.person WHERE me.conversation = ?1)"
    " ORDER BY created_at DESC, case_no DESC LIMIT ?2"
)
SELECT_CASE = "SELECT * FROM cases WHERE case_no = ?"
_PLACE = "SELECT enqueued_at FROM conversation WHERE id = {} AND owner = 'queued'"
COUNT_AHEAD = (
    "SELECT count(*) FROM conversation WHERE owner = 'queued'"
    f" AND enqueued_at < coalesce(({_PLACE.format('?')}), 9223372036854775807)"
)
