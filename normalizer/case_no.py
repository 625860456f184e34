"""Case numbers and query codes (domain.md 2.3).

17 digits: region (4), local date yyMMdd, daily counter (6), and a Damm digit that misses no single wrong digit and
no swap of neighbours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

LENGTH = 17
SHORT = 7
MAX_COUNTER = 999_999

# H. M. Damm, "Total anti-symmetrische Quasigruppen" (2004): the quasigroup of order 10.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_NO_DIGIT = re.compile("[^0-9]")
_SEPARATED = re.compile(r"[0-9](?:[ \-—–_.]?[0-9])*")
_WIDE = {0xFF10 + n: ord("0") + n for n in range(10)}


def make(region: str, day: date, counter: int) -> str:
    """Return the number of the ``counter``-th case of a local day; raises InvalidInput past 999,999."""
    if not 0 < counter <= MAX_COUNTER:
        raise InvalidInput("more cases in a day than the number has room for")
    digits = f"{region[:4]}{day:%y%m%d}{counter:06d}"
    return digits + str(_check(digits))


def parse(text: str) -> str | None:
    """Return the number that is the whole text (blanks, dashes and wide digits allowed), or None."""
    digits = _digits(text)
    return digits if digits and len(digits) == LENGTH and _check(digits) == 0 else None


def looks_like(text: str) -> bool:
    """Return whether the whole text is 17 digits, be the check digit right or wrong."""
    return len(_digits(text) or "") == LENGTH


def short_form(text: str) -> str | None:
    """Return the last seven digits of a number when they are the whole text, or None."""
    digits = _digits(text)
    return digits if digits and len(digits) == SHORT else None


def grouped(number: str) -> str:
    """Return the number as it is shown: 3709-261124-0001233."""
    return f"{number[:4]}-{number[4:10]}-{number[10:]}"


def make_code(random_int: Callable[[int], int]) -> str:
    """Return a query code of six digits; ``random_int(n)`` gives 0 to n-1."""
    while not good_code(code := f"{random_int(1_000_000):06d}"):
        pass
    return code


def good_code(code: str) -> bool:
    """Return whether a code is six digits and not one that anybody would try first."""
    if not re.fullmatch(r"[0-9]{6}", code):
        return False
    return len(set(code)) > 2 and code not in "0123456789" and code not in "9876543210"


def _digits(text: str) -> str | None:
    text = text.strip().translate(_WIDE)
    return _NO_DIGIT.sub("", text) if _SEPARATED.fullmatch(text) else None


def _check(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim
