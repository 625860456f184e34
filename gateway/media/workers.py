"""The pool of media workers: processes that may die of what they open, and are replaced when they do."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import structlog

from gateway.media.frames import ASK, DATA, FAIL, HEAD, JOB, LARGEST, NAME, PIECE, RANGE, frame
from normalizer.errors import Busy
from normalizer.media import Breach, NotAccepted, Refusal
from normalizer.message import PartKind

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable

    Read = Callable[[int, int], AsyncIterator[bytes]]
    Receive = Callable[[AsyncIterator[bytes]], Awaitable[Any]]

log = structlog.get_logger()

SECONDS, FILM_SECONDS = 60, 600
"""Processor seconds that a job may use, and one that makes a film anew; twice as many by the wall clock."""
JOBS = 200
"""Jobs after which a worker is replaced, so that what a library leaks does not add up."""
WAIT = 120.0
"""Seconds a job waits for a free worker."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker shall do: ``examine``, ``read``, or make a ``thumb``, ``preview`` or ``play`` copy."""

    task: str
    mime: str
    size: int
    kind: PartKind = PartKind.FILE
    pixels: int = 0
    unpacked: int = 0

    @property
    def cpu(self) -> int:
        """Processor seconds that it may use."""
        return FILM_SECONDS if self.task == "play" and self.kind is PartKind.VIDEO else SECONDS


@dataclass(slots=True, eq=False)
class _Worker:
    process: Process
    jobs: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a job: the facts, and the copy with its media type where one was made."""

    facts: dict[str, Any]
    mime: str = ""
    copy: Any = None


class Workers:
    """Keeps ``count`` processes; raises Busy when none is free in time."""

    def __init__(self, count: int) -> None:
        self._free: list[_Worker] = []
        self._places = asyncio.Semaphore(count)
        self._all: set[_Worker] = set()

    async def do(self, job: Job, read: Read, receive: Receive) -> Made:
        """Have a job done: ``read`` gives a range of the file, ``receive`` takes the copy as it is made.

        Raises NotAccepted when the file broke the worker or a rule, Busy when no worker was free.
        """
        try:
            async with asyncio.timeout(WAIT):
                await self._places.acquire()
        except TimeoutError as error:
            raise Busy from error
        try:
            return await self._run(job, read, receive)
        finally:
            self._places.release()

    async def close(self) -> None:
        """End all processes."""
        for worker in list(self._all):
            await self._end(worker)

    async def _run(self, job: Job, read: Read, receive: Receive) -> Made:
        worker = self._free.pop() if self._free else await self._start()
        well = False
        try:
            async with asyncio.timeout(2 * job.cpu):
                made = await _through(_Talk(worker.process, read), job, receive)
            well = True
        except NotAccepted:
            well = True
            raise
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            log.warning("media.worker_died", task=job.task, mime=job.mime, reason=type(error).__name__)
            raise NotAccepted(Breach(Refusal.BROKEN, job.kind)) from error
        finally:
            worker.jobs += 1
            if well and worker.jobs < JOBS:
                self._free.append(worker)
            else:
                await self._end(worker)
        return made

    async def _start(self) -> _Worker:
        try:
            return await self._started()
        except OSError as error:
            raise Busy("no worker could be started") from error

    async def _started(self) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.media.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2 * LARGEST,
            # Whatever stands in our environment, secrets among it, is none of a worker's business.
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
        worker = _Worker(process)
        self._all.add(worker)
        return worker

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        with suppress(ProcessLookupError):
            worker.process.kill()
        await worker.process.wait()


async def _through(talk: _Talk, job: Job, receive: Receive) -> Made:
    order = asdict(job) | {"cpu": job.cpu}
    await talk.say(JOB, json.dumps(order).encode())
    letter, payload = await talk.hear()
    if letter != NAME:
        return Made(_facts(letter, payload, job))
    mime = json.loads(payload)[1]
    copy = await receive(talk.data())
    return Made(_facts(*talk.last, job), mime, copy)


def _facts(letter: bytes, payload: bytes, job: Job) -> dict[str, Any]:
    if letter == FAIL:
        raise NotAccepted(Breach(Refusal(payload.decode()), job.kind))
    facts: dict[str, Any] = json.loads(payload)
    return facts


class _Talk:
    """One job's talk with a worker; what it asks of the file is answered meanwhile."""

    def __init__(self, process: Process, read: Read) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self._read = read
        self.last = (FAIL, Refusal.BROKEN.encode())

    async def say(self, letter: bytes, payload: bytes) -> None:
        self._to.write(frame(letter, payload))
        await self._to.drain()

    async def hear(self) -> tuple[bytes, bytes]:
        """Return the next frame that does not ask for a piece."""
        while True:
            letter, length = HEAD.unpack(await self._from.readexactly(HEAD.size))
            if length > LARGEST:
                raise ConnectionError("a frame that is too long")
            payload = await self._from.readexactly(length)
            if letter != ASK:
                return letter, payload
            start, count = RANGE.unpack(payload)
            await self.say(PIECE, b"".join([piece async for piece in self._read(start, start + count)]))

    async def data(self) -> AsyncIterator[bytes]:
        """Yield what is handed out until the job ends; how it ended is kept."""
        while True:
            letter, payload = await self.hear()
            if letter != DATA:
                self.last = (letter, payload)
                return
            yield payload
