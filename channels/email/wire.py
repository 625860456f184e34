"""What aioimaplib leaves out of IMAP: news that come with the answer to another command, and the names of folders."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING, Any

from aioimaplib import IMAP4, IMAP4ClientProtocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_EXISTS = re.compile(rb"\* \d+ EXISTS\b", re.IGNORECASE)
_SHIFTED = re.compile(r"&|[^\x20-\x7e]+")


class Client(IMAP4):  # type: ignore[misc]  # it publishes no types
    """The library's client that also keeps what it would drop: ``news`` is set when the server tells of new mail."""

    news = False

    def create_client(
        self,
        host: str,
        port: int,
        _loop: asyncio.AbstractEventLoop | None,
        conn_lost_cb: Callable[[Exception | None], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Begin to connect, as the library does, with a protocol that listens."""
        loop = asyncio.get_running_loop()
        self.protocol = _Listening(loop, conn_lost_cb, self._heard)
        connecting = loop.create_connection(lambda: self.protocol, host, port, ssl=ssl_context)
        self._client_task = loop.create_task(connecting)

    def _heard(self) -> None:
        self.news = True


class _Listening(IMAP4ClientProtocol):  # type: ignore[misc]  # it publishes no types
    def __init__(self, loop: object, conn_lost_cb: object, heard: Callable[[], None]) -> None:
        super().__init__(loop, conn_lost_cb)
        self._heard = heard

    def _untagged_response(self, line: bytes) -> Any:
        if _EXISTS.match(line):
            self._heard()
        return super()._untagged_response(line)


def quoted(folder: str) -> str:
    """Return a folder's name as a command holds it: modified UTF-7 (RFC 3501 5.1.3), in quotes."""
    coded = _SHIFTED.sub(_shifted, folder)
    return '"' + coded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shifted(found: re.Match[str]) -> str:
    text = found.group()
    if text == "&":
        return "&-"
    packed = base64.b64encode(text.encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{packed.rstrip('=').replace('/', ',')}-"
