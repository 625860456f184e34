"""How sealed words are found: by keyed hashes of characters that stand side by side.

Long numbers (telephones, identity and bank cards, seven digits and more) are not among them; a telephone is found by
its own keyed hash. What the index reveals to whoever has the database without the key stands in docs/desk-work.md.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from normalizer.text import for_matching

if TYPE_CHECKING:
    from gateway.store.seal import Sealer

LONGEST = 4000
"""Characters of one document that are indexed."""
REMEMBERED = 65_536
_LONG_NUMBER = re.compile(r"\d{7,}")
_RUN = re.compile(r"\w+")


class Grams:
    """Makes the keyed hashes of words."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._gram = lru_cache(REMEMBERED)(self._hashed)

    def of(self, text: str) -> frozenset[int]:
        """Return the grams of a text; of words of one character there are none."""
        folded = _LONG_NUMBER.sub(" ", for_matching(text)[:LONGEST])
        return frozenset(
            self._gram(run[at : at + 2]) for run in _RUN.findall(folded) for at in range(len(run) - 1)
        )

    def _hashed(self, pair: str) -> int:
        return int.from_bytes(self._sealer.hash(f"gram2 {pair}")[:4], signed=True)


def words_of(query: str) -> tuple[str, ...]:
    """Return the words of a query, folded; all of them must stand in what is found."""
    return tuple(for_matching(query).split())
