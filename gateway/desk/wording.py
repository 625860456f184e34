"""What an agent is warned of before anything is sent: forbidden phrases, a citizen's data, gaps nobody has filled.

The phrases are data (服务禁语); the agent decides, and nothing is held back by a machine.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from gateway.desk.replies import unfilled
from normalizer.people import PersonalKind, find
from normalizer.text import for_matching

_WARNED = {
    PersonalKind.PHONE: "含有手机号码，请确认对方需要",
    PersonalKind.ID_CARD: "含有身份证号码，请不要发送",
    PersonalKind.BANK_CARD: "含有银行卡号，请不要发送",
}
_GAP = "还没有填，请写上或删掉"


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing to look at before sending: which rule, why, and the words themselves."""

    rule: str
    why: str
    words: str


def warnings(text: str) -> tuple[Warned, ...]:
    """Return what an agent should look at before sending a text."""
    folded = for_matching(text)
    found = [
        Warned(rule, why, word)
        for rule, (why, words) in _forbidden().items()
        for word in words
        if word in folded
    ]
    personal = (
        Warned(finding.kind.value, _WARNED[finding.kind], text[finding.start : finding.end])
        for finding in find(text)
        if finding.kind in _WARNED
    )
    gaps = (Warned("unfilled", _GAP, f"{{{name}}}") for name in dict.fromkeys(unfilled(text)))
    return (*found, *personal, *gaps)


@cache
def _forbidden() -> dict[str, tuple[str, tuple[str, ...]]]:
    raw = tomllib.loads(resources.files("gateway").joinpath("templates/forbidden.toml").read_text("utf-8"))
    return {
        rule: (each["why"], tuple(for_matching(word) for word in each["words"])) for rule, each in raw.items()
    }
