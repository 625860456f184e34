"""Several processes on one port: a parent that starts them, passes the stop on, and replaces one that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from gateway.settings import Settings

log = structlog.get_logger()

WORKER = "JIESU_WORKER"
"""Set in the environment of a worker, so that it serves instead of starting workers of its own."""
REST = 1.0
"""Seconds between looking after the workers, so that one that cannot start is not tried in a tight circle."""


def supervise(settings: Settings, config: Path | None) -> int:
    """Keep ``settings.workers`` processes serving until told to stop; return the exit code."""
    command = [
        sys.executable,
        "-m",
        "gateway",
        "serve",
        "--host",
        settings.host,
        "--port",
        str(settings.port),
    ]
    if config is not None:
        command += ["--config", str(config)]
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape signal asks for
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    workers = [_start(command, n) for n in range(settings.workers)]
    while not stopping:
        time.sleep(REST)
        for n, worker in enumerate(workers):
            if worker.poll() is not None and not stopping:
                log.error("worker.died", worker=n, code=worker.returncode)
                workers[n] = _start(command, n)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    return max(abs(worker.wait()) for worker in workers)


def _start(command: list[str], number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=os.environ | {WORKER: str(number)})  # noqa: S603 - our own command line
