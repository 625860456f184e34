"""IMAP by pymap's in-memory backend, on the loop of whoever opens it.

pymap is a program first: its own service takes a fixed port and keeps it to itself. So its parts are joined here, the
same that its ``run`` joins: a configuration, the backend's login, and the server called for each connection.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from proxyprotocol.result import ProxyResultLocal
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Identity, Login
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

STOP = 5.0


class Mailboxes:
    """The users and their INBOX."""

    def __init__(self) -> None:
        # The demo user stays without an entry: only those that are added can log in.
        arguments = Namespace(
            host=None, port=0, debug=False, cert=None, key=None, tls=False, passlib_cfg=None,
            proxy_protocol=None, demo_data=False, demo_user="", demo_password="",
        )  # fmt: skip
        self._config = Config.from_args(
            arguments, hash_context=Cleartext(), invalid_user_sleep=0.0, reject_dnsbl=False
        )
        self._login = Login(self._config)

    async def add(self, user: str, password: str) -> None:
        """Give a user a mailbox, or a new password."""
        self._login.users_dict[user] = UserMetadata(self._config, user, password=password)

    async def append(self, user: str, raw: bytes, at: float) -> None:
        """Append a mail to a user's INBOX as an APPEND of another session does: whoever idles there is told."""
        async with Identity(user, self._login, None, frozenset()).new_session() as session:
            message = AppendMessage(raw, datetime.fromtimestamp(at, UTC), frozenset())
            await session.append_messages("INBOX", [message])

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Serve IMAP without TLS on a free loopback port, which is given."""
        connections: set[asyncio.Task[None]] = set()
        # Called straight: the reader of proxy headers would run it as a task that nobody owns.
        serve = IMAPServer(self._login, self._config)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None, "a server runs its connections as tasks"
            connections.add(task)
            try:
                await serve(
                    reader, writer, SocketInfo.get(writer, ProxyResultLocal(), unique_id=uuid4().bytes)
                )
            except asyncio.CancelledError:
                return
            except ConnectionError:
                return
            finally:
                connections.discard(task)
                writer.close()

        self._config.apply_context()
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            left = list(connections)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=STOP)
