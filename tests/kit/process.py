"""Whole processes: ``jiesu serve`` on a configuration, and WeChat's side of it under load."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from tests.kit.commands import run
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN, opened, request, xml

SENDERS = 200


def configure(folder: Path, database: str, api_base: str = "http://127.0.0.1:9") -> Path:
    path = folder / "jiesu.toml"
    path.write_text(
        f'database = "{database}"\nkey_file = "{folder}/key"\nlog_level = "error"\n[channels.wx]\nkind = "wechat"\n'
        f'app_id = "{APP_ID}"\nsecret = "secret"\ntoken = "{TOKEN}"\naes_key = "{AES_KEY}"\nmode = "safe"\n'
        f'api_base = "{api_base}"\n',
    )
    return path


@contextmanager
def served(config: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``jiesu serve`` on a free port, or one that is known before, and give the process and its address."""
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().rsplit("：", 1)[1].strip()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(30)


def jiesu(config: Path, *arguments: str):
    """Run a command and return what it prints as JSON."""
    done = run(*arguments, "--config", str(config), "--json")
    assert done.returncode == 0 or arguments[0] in {"doctor", "audit"}, done.stderr
    return json.loads(done.stdout)


@dataclass
class Crowd:
    """Two hundred citizens who write one message after the other, each keeping what he was answered."""

    url: str = ""
    asked: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[str, list[str | None]] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ("菜单", "2", "路灯坏了好几盏晚上看不见路", "取消")

    async def write(self, seconds: float, per_second: float) -> None:
        """Write for a while; a message that got no answer stays open, and its sender waits."""
        gap = SENDERS / per_second
        async with self._session() as http:
            loop = asyncio.get_running_loop()
            end = loop.time() + seconds
            await asyncio.gather(
                *(self._one(http, f"oSender{n}", end, gap, n * gap / SENDERS) for n in range(SENDERS))
            )

    async def retry(self) -> None:
        """Bring what was left open again, as WeChat does."""
        async with self._session() as http:
            await asyncio.gather(*(self._bring(http, sender) for sender in list(self.open)))

    def _session(self) -> ClientSession:
        return ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=5))

    async def _one(self, http: ClientSession, sender: str, end: float, gap: float, offset: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(offset)
        while loop.time() < end and sender not in self.open:
            sent = self.asked.setdefault(sender, [])
            number = f"{sender[7:]}-{len(sent)}"
            sent.append(number)
            self.open[sender] = number
            started = loop.time()
            await self._bring(http, sender)
            await asyncio.sleep(max(0.0, gap - (loop.time() - started)))

    async def _bring(self, http: ClientSession, sender: str) -> None:
        number = self.open[sender]
        words = self.words[int(number.split("-")[1]) % len(self.words)]
        now = str(int(time.time()))
        message = xml(openid=sender, MsgType="text", Content=words, MsgId=number, CreateTime=now)
        query, body = request(message, stamp=now, nonce=os.urandom(6).hex())
        try:
            async with http.post(self.url, params=query, data=body.encode()) as response:
                text = await response.text()
                if response.status != 200:
                    return
        except (ClientError, TimeoutError):
            return
        del self.open[sender]
        self.answers.setdefault(sender, []).append(None if text == "success" else opened(text)["Content"])
