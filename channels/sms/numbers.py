"""Telephone numbers as carriers and providers write them, and who never is a citizen."""

from __future__ import annotations

MACHINES = ("106", "95", "400")
"""Beginnings of numbers that only firms write from; they are never answered (domain.md 4.4)."""
_SUBSCRIBER = 11
"""Digits of a number in China: a 86 before fewer is no country code."""


def bare(number: str) -> str:
    """Return a number without blanks and without China's +86, 0086 or 86; another country's loses its plus only."""
    digits = number.strip().replace(" ", "").replace("-", "")
    if digits.startswith("+"):
        return digits.removeprefix("+86").removeprefix("+")
    for code in ("0086", "86"):
        if digits.startswith(code) and len(digits) - len(code) >= _SUBSCRIBER:
            return digits.removeprefix(code)
    return digits


def machine(number: str) -> bool:
    """Return whether a firm wrote it; +95 and +400 are abroad, only China's numbers begin so as firms' do."""
    abroad = number.strip().startswith("+") and not number.strip().startswith("+86")
    return not abroad and bare(number).startswith(MACHINES)
