"""``jiesu`` commands as processes of their own, without importing the gateway anew for each.

One process imports the gateway once and forks for every command: what a command does to its process is gone with it.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_lock = Lock()


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """Run a command with this process's environment and folder."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        order = {"arguments": arguments, "environ": dict(os.environ), "folder": str(Path.cwd())}
        path = f"/proc/{os.getpid()}/fd/"
        order |= {"out": f"{path}{out.fileno()}", "err": f"{path}{err.fileno()}"}
        with _lock:
            code = int(_ask(json.dumps(order)))
        return Done(code, _read(out.fileno()), _read(err.fileno()))


async def run_beside(*arguments: str) -> Done:
    """Run a command while this process goes on serving it."""
    return await asyncio.to_thread(run, *arguments)


def _read(descriptor: int) -> str:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()


def _ask(order: str) -> str:
    forker = _forker()
    assert forker.stdin is not None
    assert forker.stdout is not None
    forker.stdin.write(order + "\n")
    forker.stdin.flush()
    return forker.stdout.readline()


@cache
def _forker() -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.kit.commands"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, started)
    return started


def _end(forker: subprocess.Popen[str]) -> None:
    assert forker.stdin is not None
    forker.stdin.close()
    forker.wait(10)


def _serve() -> None:
    """Fork for every order, and tell how its process ended."""
    from alembic import command  # noqa: F401, PLC0415

    from gateway import app, cli, cli_wechat, doctor, settings, views  # noqa: F401, PLC0415

    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _become(order)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(order: dict[str, object]) -> None:
    """Be the command: its words go to the files of who asked."""
    from gateway.cli import main  # noqa: PLC0415

    os.environ.clear()
    os.environ.update(order["environ"])  # type: ignore[call-overload]
    os.chdir(str(order["folder"]))
    for descriptor, name in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(str(name), os.O_WRONLY), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["jiesu", *order["arguments"]]  # type: ignore[misc]
    main()
    sys.exit()


if __name__ == "__main__":
    _serve()
