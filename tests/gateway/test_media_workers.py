"""The processes in which hostile files are opened: they die alone, know nothing, and are replaced."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from gateway.media.workers import Job, Workers
from normalizer.media import NotAccepted, Refusal
from normalizer.message import PartKind
from tests.kit import media


@pytest.fixture
async def workers():
    pool = Workers(1)
    yield pool
    await pool.close()


async def ranged(content: bytes, start: int, end: int):
    yield content[start:end]


async def whole(stream):
    return b"".join([piece async for piece in stream])


def job(content: bytes, task: str = "examine") -> Job:
    return Job(task, "image/jpeg", len(content), PartKind.IMAGE, 10**8, 10**8)


async def done(workers, content: bytes, task: str = "examine"):
    return await workers.do(job(content, task), partial(ranged, content), whole)


def running() -> list[int]:
    """The workers that run: children of ours with the worker's name."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"gateway.media.worker" in about(pid, "cmdline")]


def about(pid: int | str, what: str) -> bytes:
    return Path(f"/proc/{pid}/{what}").read_bytes()


async def test_a_worker_that_dies_fails_its_job_alone(workers):
    content = media.photo()

    async def kills(start, end):
        for pid in running():
            os.kill(pid, signal.SIGKILL)
        yield content[start:end]

    with pytest.raises(NotAccepted) as refused:
        await workers.do(job(content), kills, whole)
    assert refused.value.breach.refusal is Refusal.BROKEN
    assert (await done(workers, content)).facts["width"] == 640


async def test_a_broken_file_does_not_cost_a_worker(workers):
    with pytest.raises(NotAccepted):
        await done(workers, b"\xff\xd8\xff\xe0 not a photo at all")
    before = running()
    assert (await done(workers, media.photo())).facts["width"] == 640
    assert running() == before


async def test_jobs_wait_for_their_turn_and_all_are_done(workers):
    made = await asyncio.gather(*(done(workers, media.photo(), "thumb") for _ in range(8)))
    assert {each.mime for each in made} == {"image/jpeg"}


async def test_a_worker_is_told_nothing_of_our_environment(workers, monkeypatch):
    monkeypatch.setenv("JIESU_CHANNELS__WX__SECRET", "very-secret")
    await done(workers, media.photo())
    (worker,) = running()
    assert b"very-secret" not in about(worker, "environ")


async def test_a_worker_has_its_limits(workers):
    await done(workers, media.photo())
    (worker,) = running()
    lines = about(worker, "limits").decode().splitlines()
    limits = {line[:26].strip(): line[26:47].strip() for line in lines}
    assert limits["Max address space"] == str(2 * 1024**3)
    assert limits["Max core file size"] == "0"
    assert limits["Max open files"] == "64"
    assert int(limits["Max cpu time"]) < 120


async def test_closing_ends_all_workers(workers):
    await done(workers, media.photo())
    await workers.close()
    assert not running()
