"""Mail servers for tests: a Dovecot of the test's own, and a line that can be cut."""

from __future__ import annotations

import asyncio
import imaplib
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.kit.ports import free_port

PASSWORD = "pass"
USER = "hotline"


def dovecot() -> str:
    """The binary; without it the test is skipped, or fails where servers are required."""
    found = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        message = "Dovecot is not installed (Debian: apt-get install dovecot-imapd)"
        if os.environ.get("JIESU_REQUIRE_SERVERS"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def home():
    """Give a folder that the server's user may enter.

    Below pytest's own it loses the way in as soon as another session begins, which closes that to all others.
    """
    with tempfile.TemporaryDirectory(prefix="jiesu-mail-") as folder:
        yield Path(folder)


@contextmanager
def mailbox_server(folder: Path, capability: str = ""):
    """Run Dovecot on a free port and give the port; mails lie under ``folder/mail``."""
    binary = dovecot()
    port = free_port()
    (folder / "mail").mkdir()
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent != Path("/tmp") and parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o011)
    shutil.chown(folder / "mail", "nobody", "nogroup")
    (folder / "dovecot.conf").write_text(_CONFIGURATION.format(dir=folder, port=port, capability=capability))
    command = [binary, "-c", str(folder / "dovecot.conf"), "-F"]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            _up(port)
            yield port
        finally:
            # Told to end, it gives those who are logged in a second.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def append(port: int, *mails: bytes) -> None:
    """Put mails into the inbox, as a delivery does."""
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login(USER, PASSWORD)
        for mail in mails:
            client.append("INBOX", None, None, mail)


def count(port: int, folder: str) -> int:
    """How many mails lie in a folder, which is named as it is on the wire; none where it is not made yet."""
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login(USER, PASSWORD)
        found, [number] = client.select(folder, readonly=True)
        return int(number or 0) if found == "OK" else 0


def _up(port: int) -> None:
    for _ in range(200):
        try:
            with imaplib.IMAP4("127.0.0.1", port) as client:
                client.login(USER, PASSWORD)
        except (OSError, imaplib.IMAP4.error):
            subprocess.run(["sleep", "0.05"], check=True)
        else:
            return
    raise AssertionError("Dovecot did not start")


class Line:
    """Passes bytes on to a port and keeps them as ``sent``; ``cut_after`` more from there, the connection breaks, once."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.cut_after: int | None = None
        self.connections = self.open = 0
        self.sent = bytearray()

    async def serve(self, reader, writer) -> None:
        self.connections += 1
        self.open += 1
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._pass(reader, back)),
                    asyncio.create_task(self._back(there, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self.open -= 1
            back.close()
            writer.close()

    async def _pass(self, reader, writer) -> None:
        while data := await reader.read(4096):
            self.sent += data
            writer.write(data)

    async def _back(self, reader, writer) -> None:
        while data := await reader.read(4096):
            if self.cut_after is not None:
                self.cut_after -= len(data)
                if self.cut_after <= 0:
                    self.cut_after = None
                    return
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def line(target: int):
    """Run a line to a port."""
    made = Line(target)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


_CONFIGURATION = """
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = dovenull
default_internal_user = dovecot
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u
{capability}
passdb {{
  driver = static
  args = password=pass
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={dir}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
