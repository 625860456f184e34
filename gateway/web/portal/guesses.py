"""How many numbers of others' cases may be named in talk (domain.md 2.3).

Wrong codes lock a talker and a case; who has many sessions and many numbers is known by his address alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.web.limits import HOUR, Limit

if TYPE_CHECKING:
    from gateway.cases.lookup import Lookup
    from gateway.web.limits import Limits

NUMBERS_AN_HOUR = 30
"""Case numbers that are asked for from one address, which many may share; each leaves at most five wrong codes."""
TOO_MANY = "从您的网络查询单号的次数较多，为保护信息安全，请一小时后再查，或打热线电话由工作人员查询。"
_NUMBER = re.compile(r"(?:[0-9][ \-—–_.]?){16}[0-9]")
_REST = re.compile("[^0-9]")
_WIDE = {0xFF10 + n: ord("0") + n for n in range(10)}


@dataclass(frozen=True, slots=True)
class Guesses:
    """Counts them."""

    lookup: Lookup
    limits: Limits

    async def over(self, text: str, conversation: bytes, address: str) -> bool:
        """Count the message if it names another's case, and return whether too many were named from the address."""
        numbers = {_REST.sub("", each) for each in _NUMBER.findall(text.translate(_WIDE))}
        if not numbers or numbers <= {case.case_no for case in await self.lookup.own(conversation)}:
            return False
        return await self.limits.over(Limit("number from", address, NUMBERS_AN_HOUR, HOUR))
