"""Processes of their own: what stands outside must not share the processor's time slice with what is measured."""

from __future__ import annotations

import logging
import multiprocessing
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway import runtime

_SPAWN = multiprocessing.get_context("spawn")
STOP = 10.0
"""Seconds a process has to end once its pipe is closed."""


@contextmanager
def beside(work: Callable[..., None], *given: object) -> Iterator[Connection]:
    """Run ``work(pipe, *given)`` in another process inside the block, and give this end of the pipe."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=work, args=(theirs, *given), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(STOP)
        if process.is_alive():
            process.kill()
            process.join()


def alone(work: Callable[..., Any], *given: object) -> Any:
    """Return what ``work(*given)`` returns in a new process, whose peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
        return pool.submit(work, *given).result()


def peak_mb(pid: int | str = "self") -> int:
    """Return the most memory that a process has had resident, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def quiet() -> None:
    """Log errors only: a warning about a link that goes down at the end says nothing here."""
    runtime.configure_logs("error")
    logging.getLogger().setLevel(logging.ERROR)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile of many times, in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {"p50_ms": 0.0, "p99_ms": 0.0}
    last = ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
    return {"p50_ms": round(statistics.median(ordered) * 1000, 2), "p99_ms": round(last * 1000, 2)}


def middle(rounds: Sequence[dict[str, Any]], exact: Sequence[str] = ()) -> dict[str, Any]:
    """Return the median of every figure over the rounds; of ``exact`` ones all values, when they differ."""
    found: dict[str, Any] = {}
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        found[name] = values if name in exact and len(set(values)) > 1 else _median(values)
    return found


def _median(values: Sequence[float]) -> float:
    found = statistics.median(values)
    return round(found) if all(isinstance(value, int) for value in values) else round(found, 3)


def show(report: dict[str, Any]) -> None:
    """Print a report as a table; figures within figures have their names joined."""
    table = Table("figure", "median")
    for name, value in report.items():
        for inner, each in value.items() if isinstance(value, dict) else [("", value)]:
            table.add_row(f"{name} {inner}".strip(), str(each))
    Console(width=120).print(table)
