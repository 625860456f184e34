"""The letters in hand: fetched, and not yet all written down.

So many and so many bytes at most. Those of one person, and those that answer one another, are written down in their
order; all others side by side, so that one commit serves many and one that waits holds up nobody else.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

LETTERS = 64
BYTES = 64 * 1024 * 1024
"""Of all letters in hand together; a single larger one is let in when nothing else is."""


@dataclass(frozen=True, slots=True)
class _Held:
    size: int
    keys: frozenset[str]
    writing: asyncio.Task[str]


class Hand:
    """Letters by their UID, each with the task that writes it down. End it with ``drop``."""

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self._last: dict[str, asyncio.Task[str]] = {}

    def __len__(self) -> int:
        """Return how many letters are in hand, written down or not."""
        return len(self._held)

    def fits(self, letters: int, size: int) -> bool:
        """Return whether so many more letters, of ``size`` bytes together, may be fetched now."""
        if not self._held:
            return True
        total = sum(held.size for held in self._held.values())
        return len(self._held) + letters <= LETTERS and total + size <= BYTES

    def take(self, uid: int, size: int, keys: Iterable[str], write: Callable[[], Awaitable[str]]) -> None:
        """Have a letter written down after those in hand that share a key; ``write`` returns the folder to file it in."""
        names = frozenset(key for key in keys if key)
        before = {self._last[name] for name in names if name in self._last}
        writing = asyncio.create_task(_after(before, write))
        self._held[uid] = _Held(size, names, writing)
        self._last |= dict.fromkeys(names, writing)

    async def some(self) -> None:
        """Wait until a letter in hand is written down."""
        await asyncio.wait(
            [held.writing for held in self._held.values()], return_when=asyncio.FIRST_COMPLETED
        )

    def written(self) -> dict[int, str]:
        """Let go of the letters that are written down and return the folder that each is to be filed in."""
        done = {uid: held for uid, held in self._held.items() if held.writing.done()}
        for uid, held in done.items():
            del self._held[uid]
            for key in held.keys:
                if self._last.get(key) is held.writing:
                    del self._last[key]
        return {uid: held.writing.result() for uid, held in done.items()}

    async def drop(self) -> None:
        """Stop writing down; what was not is still in the mailbox, and what was is known when it is fetched again."""
        writing = [held.writing for held in self._held.values()]
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)


async def _after(before: set[asyncio.Task[str]], write: Callable[[], Awaitable[str]]) -> str:
    if before:
        await asyncio.wait(before)
    return await write()
