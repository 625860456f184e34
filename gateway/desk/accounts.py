"""The accounts of the staff: one-time passwords, argon2id, a second factor, and a lock (等保2.0 level 3; RFC 6238).

Hashing takes tens of milliseconds and runs beside the loop. A wrong login costs as much as a wrong password.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from gateway import actors
from gateway.actors import SYSTEM
from gateway.desk.rights import Role
from gateway.runtime import millis
from gateway.store import agents as sql
from gateway.store import desk, lists
from gateway.store.rows import DeskEventRow
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.store.seal import Sealer
    from gateway.store.store import Store

FAILURES = 5
LOCK_MS = 15 * 60_000
STEP_SECONDS = 30
PASSWORD_CHARS = 12
"""The least length of a password of one's own."""
MOST_CAPACITY = 20
"""Chats at once; nobody does more than that well."""
_LOGIN = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_WORD = re.compile(r"[\w-]{1,40}")
HASHER = PasswordHasher()
"""What passwords cost: argon2id as RFC 9106 has it where memory is short."""


class Outcome(StrEnum):
    """What became of an attempt to log in."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    NEEDS_CODE = "needs_code"
    UNKNOWN = "unknown"
    """The provider of single sign-on names somebody who has no account here."""
    DISABLED = "disabled"
    OTHER = "other"
    """The account is bound to another person at the provider, or that person to another account."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of the staff; ``one_time`` when the password must be changed before anything else."""

    id: bytes
    login: str
    name: str
    role: Role
    skills: frozenset[str]
    groups: frozenset[str]
    capacity: int
    disabled: bool
    one_time: bool
    has_totp: bool
    session_version: int
    linked: bool = False
    """Bound to somebody whom the provider of single sign-on knows."""


class Accounts:
    """Makes, checks and changes accounts; every login and every change is noted in ACCESS with who did it (``by``).

    ``changed`` is called when somebody may have got room or a skill: the router looks then. ``hasher`` says what a
    hash costs.
    """

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        ids: Callable[[], bytes],
        now: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
        hasher: PasswordHasher = HASHER,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._ids = ids
        self._now = now
        self._changed = changed
        self._hasher = hasher

    @cached_property
    def nobody(self) -> str:
        """A hash that no password has, so that an unknown name takes as long as a wrong password."""
        return self._hasher.hash(secrets.token_urlsafe())

    async def add(
        self,
        login: str,
        name: str,
        role: Role,
        *,
        skills: str = "",
        groups: str = "",
        capacity: int = 3,
        by: str = SYSTEM,
    ) -> str:
        """Make an account and return its one-time password; raises InvalidInput when the login exists or is none."""
        if not _LOGIN.fullmatch(login):
            raise InvalidInput("a login is 1 to 40 of the letters a-z, digits, dot, dash and underscore")
        skills, groups, capacity = _words(skills), _words(groups), _capacity(capacity)
        password = secrets.token_urlsafe(12)
        row = {
            "id": self._ids(),
            "login": login,
            "name": name,
            "role": role.value,
            "password": await asyncio.to_thread(self._hasher.hash, password),
            "one_time": True,
            "totp": None,
            "totp_step": 0,
            "failures": 0,
            "locked_until": 0,
            "session_version": 0,
            "skills": skills,
            "groups": groups,
            "capacity": capacity,
            "state": "online",
            "disabled": False,
            "assigned_at": 0,
            "created_at": millis(self._now()),
        }

        def work(connection: Connection) -> None:
            if sql.by_login(connection, login) is not None:
                raise InvalidInput(f"there is an account {login}")
            sql.add(connection, row)
            self._note(connection, by, "agent add", f"{login} {role.value} {skills}")

        await self._store.write(work)
        return password

    async def verify(self, login: str, password: str, code: str = "") -> tuple[Outcome, Account | None]:
        """Check a password and, where there is one, the second factor; five failures lock for a quarter of an hour."""
        row = await self._store.write(lambda c: sql.by_login(c, login))
        right = await asyncio.to_thread(self._verified, row["password"] if row else None, password)
        if row is None or row["disabled"]:
            return Outcome.WRONG, None
        checked = row["password"] if right else None
        return await self._store.write(lambda c: self._judged(c, login, checked, code))

    async def vouched(
        self, login: str, subject: str, *, second_factor: bool
    ) -> tuple[Outcome, Account | None]:
        """Let in whom the provider of single sign-on names; no account is ever made here.

        The first time binds the account to ``subject``, who it is at the provider for ever, so that a login that is given
        to another person there opens nothing (OpenID Connect Core 5.7). ``second_factor``: ours is asked for.
        """
        who = self.subject(subject)
        return await self._store.write(lambda c: self._vouched(c, login, who, second_factor=second_factor))

    def subject(self, subject: str) -> bytes:
        """Return the keyed hash under which an account is bound to who somebody is at the provider."""
        return self._sealer.hash(f"desk subject {subject}")

    async def coded(self, agent: bytes, version: int, code: str) -> tuple[Outcome, Account | None]:
        """Check the second factor of whom the provider named; a wrong code counts as a wrong password does."""
        return await self._store.write(lambda c: self._coded(c, agent, version, code))

    async def unlink(self, login: str, *, by: str = SYSTEM) -> None:
        """Bind an account to nobody at the provider of single sign-on, and end its sessions; raises InvalidInput."""
        await self._set(login, by, "agent unlink", sql.rotate, subject=None)

    async def change_password(self, agent: bytes, new: str) -> None:
        """Set a password of one's own and end every other session; raises InvalidInput when it is too short."""
        if len(new) < PASSWORD_CHARS:
            raise InvalidInput(f"a password has at least {PASSWORD_CHARS} characters")
        hashed = await asyncio.to_thread(self._hasher.hash, new)

        def work(connection: Connection) -> None:
            sql.rotate(connection, agent, password=hashed, one_time=False)
            row = desk.agent(connection, agent)
            if row is not None:
                self._note(connection, actors.agent(row["login"]), "agent own password", row["login"])

        await self._store.write(work)

    async def reset(self, login: str, *, by: str = SYSTEM) -> str:
        """Give a new one-time password, take the second factor and the lock away; raises InvalidInput."""
        password = secrets.token_urlsafe(12)
        hashed = await asyncio.to_thread(self._hasher.hash, password)
        change: dict[str, Any] = {
            "password": hashed,
            "one_time": True,
            "totp": None,
            "failures": 0,
            "locked_until": 0,
        }
        await self._set(login, by, "agent password", sql.rotate, **change)
        return password

    async def unlock(self, login: str, *, by: str = SYSTEM) -> None:
        """Let somebody who was locked out try again; raises InvalidInput."""
        await self._set(login, by, "agent unlock", sql.change, failures=0, locked_until=0)

    async def equip(
        self, login: str, *, skills: str | None = None, capacity: int | None = None, by: str = SYSTEM
    ) -> None:
        """Set what somebody can do, or how many chats at once (None: as it is); raises InvalidInput.

        It counts from the next conversation on: what is held already stays.
        """
        change: dict[str, Any] = {}
        if skills is not None:
            change["skills"] = _words(skills)
        if capacity is not None:
            change["capacity"] = _capacity(capacity)
        await self._set(login, by, "agent skills", sql.change, **change)

    async def disable(self, login: str, *, disabled: bool = True, by: str = SYSTEM) -> None:
        """Disable an account (or let it back in) and end its sessions; raises InvalidInput.

        Accounts are not deleted, since the log names them for ever; what a disabled one holds goes back to the queue.
        """
        act = "agent remove" if disabled else "agent restore"
        await self._set(login, by, act, sql.rotate, disabled=disabled)

    def enrol(self) -> str:
        """Return a new secret for the second factor; it counts once ``confirm`` has seen a code of it."""
        return pyotp.random_base32()

    async def confirm(self, agent: bytes, secret: str, code: str) -> bool:
        """Switch the second factor on when the code is right; one that is on is never replaced, only taken away by ``reset``.

        Else whoever finds an open page could put his own in its place.
        """
        step = _step(secret, code, self._seconds(), 0)
        if step is None:
            return False
        sealed = self._sealer.seal(secret.encode())
        return await self._store.write(lambda c: sql.enrol(c, agent, sealed, step))

    async def of(self, agent: bytes) -> Account | None:
        """Return an account by its id."""
        row = await self._store.read(lambda c: sql.by_id(c, agent))
        return None if row is None else account_of(row)

    async def by_login(self, login: str) -> Account | None:
        """Return an account by its login."""
        row = await self._store.read(lambda c: sql.named(c, login))
        return None if row is None else account_of(row)

    async def every(self, limit: int = 1000) -> list[Account]:
        """Return all accounts by login."""
        return [account_of(row) for row in await self._store.read(lambda c: sql.all_of(c, limit))]

    async def _set(self, login: str, by: str, act: str, change: Callable[..., None], **values: Any) -> None:
        """Change an account, and tell the audit and the desk."""

        def work(connection: Connection) -> None:
            row = sql.by_login(connection, login)
            if row is None:
                raise InvalidInput(f"there is no account {login}")
            if values:
                change(connection, row["id"], **values)
            said = [login, *(f"{name}={values[name]}" for name in ("skills", "capacity") if name in values)]
            self._note(connection, by, act, " ".join(said))
            event = DeskEventRow(millis(self._now()), None, "account", "", 0, row["id"], None, act)
            desk.append(connection, [event])

        await self._store.write(work)
        self._changed()

    def _note(self, connection: Connection, by: str, act: str, subject: str) -> None:
        at = millis(self._now())
        lists.looked(connection, row_id=self._ids(), at=at, actor=by, act=act, subject=subject.strip())

    def _verified(self, hashed: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(hashed or self.nobody, password)
        except VerificationError:
            return False

    def _seconds(self) -> int:
        return millis(self._now()) // 1000

    def _judged(
        self, connection: Connection, login: str, checked: str | None, code: str
    ) -> tuple[Outcome, Account | None]:
        """Count and decide under the account's lock, so that attempts at once are not one attempt."""
        row = sql.by_login(connection, login)
        now = millis(self._now())
        if row is None or row["disabled"] or row["locked_until"] > now:
            return (Outcome.LOCKED if row and not row["disabled"] else Outcome.WRONG), None
        # A password that was changed while it was being checked is no longer the right one.
        if row["password"] != checked:
            return self._failed(connection, row, now)
        return self._proved(connection, row, code)

    def _vouched(
        self, connection: Connection, login: str, who: bytes, *, second_factor: bool
    ) -> tuple[Outcome, Account | None]:
        row = sql.by_login(connection, login)
        if row is None:
            return Outcome.UNKNOWN, None
        if row["disabled"] or row["locked_until"] > millis(self._now()):
            return (Outcome.DISABLED if row["disabled"] else Outcome.LOCKED), None
        if row["subject"] not in {None, who} or sql.by_subject(connection, who) not in {None, row["id"]}:
            return Outcome.OTHER, None
        if row["subject"] is None:
            sql.change(connection, row["id"], subject=who)
            self._note(connection, actors.agent(login), "agent link", login)
        return self._proved(connection, {**row, "totp": row["totp"] if second_factor else None}, "")

    def _coded(
        self, connection: Connection, agent: bytes, version: int, code: str
    ) -> tuple[Outcome, Account | None]:
        found = sql.by_id(connection, agent)
        row = sql.by_login(connection, found["login"]) if found else None
        if row is None or row["disabled"] or row["session_version"] != version:
            return Outcome.WRONG, None
        if row["locked_until"] > millis(self._now()):
            return Outcome.LOCKED, None
        return self._proved(connection, row, code)

    def _proved(
        self, connection: Connection, row: dict[str, Any], code: str
    ) -> tuple[Outcome, Account | None]:
        """Ask for the second factor where there is one, and let in."""
        now = millis(self._now())
        if row["totp"] is None:
            step: int | None = row["totp_step"]
        elif not code:
            return Outcome.NEEDS_CODE, None
        else:
            step = _step(self._sealer.open(row["totp"]).decode(), code, now // 1000, row["totp_step"])
        if step is None:
            return self._failed(connection, row, now)
        sql.change(connection, row["id"], failures=0, totp_step=step)
        self._note(connection, actors.agent(row["login"]), "login", Outcome.RIGHT.value)
        return Outcome.RIGHT, account_of(row)

    def _failed(self, connection: Connection, row: dict[str, Any], now: int) -> tuple[Outcome, None]:
        failures = row["failures"] + 1
        outcome = Outcome.WRONG if failures < FAILURES else Outcome.LOCKED
        self._note(connection, actors.agent(row["login"]), "login", outcome.value)
        if failures < FAILURES:
            sql.change(connection, row["id"], failures=failures)
            return Outcome.WRONG, None
        sql.change(connection, row["id"], failures=0, locked_until=now + LOCK_MS)
        return Outcome.LOCKED, None


def _words(given: str) -> str:
    words = dict.fromkeys(given.split())
    if not all(_WORD.fullmatch(word) for word in words):
        raise InvalidInput("skills and groups are words between blanks")
    return " ".join(words)


def _capacity(given: int) -> int:
    if not 1 <= given <= MOST_CAPACITY:
        raise InvalidInput(f"a capacity is 1 to {MOST_CAPACITY} chats at once")
    return given


def _step(secret: str, code: str, seconds: int, used: int) -> int | None:
    """Return the time step a code belongs to, the present or a neighbour, None when it is wrong or was used."""
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    present = seconds // STEP_SECONDS
    for step in (present - 1, present, present + 1):
        if step > used and hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.encode()):
            return step
    return None


def account_of(row: dict[str, Any]) -> Account:
    """Return the account that a row tells of."""
    return Account(
        row["id"],
        row["login"],
        row["name"],
        Role(row["role"]),
        frozenset(row["skills"].split()),
        frozenset(row["groups"].split()),
        row["capacity"],
        row["disabled"],
        row["one_time"],
        row["totp"] is not None,
        row["session_version"],
        row["subject"] is not None,
    )
