"""Who wrote this letter? An address that our own mail server doubts proves nothing (domain.md 4.5).

Then a command needs another proof: one of our letters answered, or number and code in the first line. It opens the
one case that it proves and no other of the sender's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import AskFound
from bots.intent import Intent
from bots.mail_cases import say
from normalizer import case_no
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Ask
    from bots.scene import Scene

GUARDED = frozenset(
    {
        Intent.PROGRESS,
        Intent.SUPPLEMENT,
        Intent.URGE,
        Intent.WITHDRAW,
        Intent.RATE,
        Intent.CONFIDE,
        Intent.OPT_OUT,
    }
)
"""What a forger could do harm with."""
_PROOF = re.compile(
    r"([0-9]{17}|[0-9]{4}[ \-][0-9]{6}[ \-][0-9]{7})[\s,，;；]*(?:查询码)?[:： ]*([0-9]{6})(?![0-9])"
)


def judged(scene: Scene, line: str) -> Scene | Ask:
    """Return the scene with those of the sender's cases that a doubted letter proves, or what must be known for that."""
    facts = scene.facts
    if not facts.doubted:
        return scene
    if scene.reading.about:
        return evolve(scene, facts=evolve(facts, doubted=False))
    given = _PROOF.search(line)
    number = case_no.parse(given.group(1)) if given else None
    if given is None or number is None:
        return evolve(scene, facts=evolve(facts, own=()))
    if facts.found is None:
        return AskFound(number, given.group(2))
    case = facts.found.case
    own = tuple(each for each in facts.own or () if case is not None and each.case_no == case.case_no)
    return evolve(scene, facts=evolve(facts, own=own, doubted=not own))


def without_code(line: str) -> str:
    """Return a first line without the code after a number, which is no part of what is said."""
    return _PROOF.sub(r"\1", line)


def how(scene: Scene) -> str:
    """Return how a doubted sender may prove a case to be his, or why what he gave does not."""
    found = scene.facts.found
    if found is None:
        return say(scene, "mail_doubted")
    if found.case is None:
        return say(scene, "mail_code_locked" if found.locked else "mail_wrong_code")
    return say(scene, "mail_not_yours")
