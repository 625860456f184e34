"""What a letter's first line may ask for: progress, urging, withdrawal, rating, a person (domain.md 4.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bots import binding, progress, rating, sms
from bots.contract import AskFound, Handoff, Link, OptOut, Turn
from bots.intent import Intent
from bots.mail_cases import CITIZEN, RATEABLE, act, of, say, scored, spoken_of
from bots.scene import Scene, due_line, tail, title, unit_of
from normalizer import case_no
from normalizer.case import CITIZEN_LABELS, OPEN, Case, Command, Verb
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Ask
    from bots.sms import Wish

SHOWN, LATEST = 24, 200
"""Characters of a title and of the latest step that a letter shows."""
_WHAT = {Intent.URGE: "催办", Intent.WITHDRAW: "撤回", Intent.CONFIDE: "保密", Intent.RATE: "评价 5"}


def chosen(scene: Scene, suits: Callable[[Case], bool], what: str) -> Case | Turn | Ask:
    """Return the own case that a command is for, or what is said where none or several could be meant."""
    own = scene.facts.own or ()
    if scene.number:
        return _by_number(scene, own)
    if (spoken := spoken_of(scene)) is not None:
        return spoken
    if scene.reading.about:
        return scene.turn(scene.say("mail_not_yours"))
    suited = [case for case in own if suits(case)]
    if len(suited) == 1:
        return suited[0]
    if not suited:
        return scene.turn(scene.say("mail_none"))
    lines = "\n".join(_line(case) for case in suited)
    return scene.turn(scene.say("mail_pick" if what else "mail_list", what=what, lines=lines))


def _by_number(scene: Scene, own: tuple[Case, ...]) -> Case | Turn:
    if len(scene.number) != case_no.SHORT and case_no.parse(scene.number) is None:
        return scene.turn(scene.say("mail_bad_number"))
    found = next((case for case in own if case.case_no.endswith(scene.number)), None)
    return found or scene.turn(scene.say("mail_unknown"))


def _line(case: Case) -> str:
    return f"{case.case_no} {title(case, SHOWN)} {CITIZEN_LABELS[case.stage]}"


def is_open(case: Case) -> bool:
    """Return whether a case has not ended."""
    return case.stage in OPEN


def _progress(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001 - every command has one shape
    case = chosen(scene, lambda case: True, "")  # noqa: ARG005
    if not isinstance(case, Case):
        return case
    unit, due, latest = progress.told(scene, case, LATEST)
    words = scene.say(
        "mail_progress",
        case_no=case.case_no,
        title=title(case, SHOWN),
        stage=CITIZEN_LABELS[case.stage],
        unit=unit,
        due=due,
        latest=latest,
    )
    how = (scene.say("mail_rate_how"),) if case.stage in RATEABLE else ()
    return scene.turn(words, *how, effects=(Link(case.case_no),))


def by_code(scene: Scene, given: str, code: str) -> Turn | Ask:
    """Tell of a case by number and code: of one's own as always, of another's the least."""
    number = case_no.parse(given)
    if number is None:
        return scene.turn(scene.say("mail_bad_number"))
    if any(case.case_no == number for case in scene.facts.own or ()):
        return _progress(evolve(scene, number=number), sms.Wish(Intent.PROGRESS))
    found = scene.facts.found
    if found is None:
        return AskFound(number, code)
    if found.case is None:
        return scene.turn(say(scene, "mail_code_locked" if found.locked else "mail_wrong_code"))
    return scene.turn(progress.least(scene, found.case))


def _urge(scene: Scene, wish: Wish) -> Turn | Ask:
    case = chosen(scene, is_open, _WHAT[Intent.URGE])
    if not isinstance(case, Case):
        return case
    command = Command(Verb.URGE, CITIZEN, text=wish.words)
    refused = scene.refusal(case, command)
    if refused and refused != "urged_lately":
        return scene.turn(of(scene, "mail_not_now", case))
    key = "mail_urged_lately" if refused else "mail_urged"
    words = scene.say(key, unit=unit_of(case), count=len(case.urges) + 1, due=due_line(scene, case))
    return scene.turn(words) if refused else act(scene, case, command, words)


def _ask_withdraw(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    case = chosen(scene, is_open, _WHAT[Intent.WITHDRAW])
    if not isinstance(case, Case):
        return case
    return _refused_withdrawal(scene, case) or scene.turn(of(scene, "mail_confirm_withdraw", case))


def withdraw(scene: Scene, number: str) -> Turn | Ask:
    """Withdraw on the second word, which must prove by its thread or number that our first letter was read."""
    if not number and not scene.reading.about:
        return _ask_withdraw(scene, sms.Wish(Intent.WITHDRAW))
    case = chosen(evolve(scene, number=number), is_open, "确认撤回")
    if not isinstance(case, Case):
        return case
    command = Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回")
    refused = _refused_withdrawal(scene, case)
    return refused or act(scene, case, command, of(scene, "mail_withdrawn", case))


def _refused_withdrawal(scene: Scene, case: Case) -> Turn | None:
    refused = scene.refusal(case, Command(Verb.WITHDRAW, CITIZEN))
    if refused is None:
        return None
    key = "mail_withdraw_refused" if refused == "report_under_check" else "mail_not_now"
    return scene.turn(of(scene, key, case))


def _rate(scene: Scene, wish: Wish) -> Turn | Ask:
    score, opinion = rating.read(evolve(scene.reading, matching=f"pj {wish.words}", digit=None))
    case = chosen(scene, lambda case: case.stage in RATEABLE, _WHAT[Intent.RATE])
    if not isinstance(case, Case):
        return case
    if score is None:
        return scene.turn(scene.say("mail_rate_how"))
    return scored(scene, case, score, opinion)


def _confide(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    case = chosen(scene, is_open, _WHAT[Intent.CONFIDE])
    if not isinstance(case, Case):
        return case
    command = Command(Verb.SUPPLEMENT, CITIZEN, text="本人要求对个人信息保密", flag=True)
    if not scene.allows(case, command):
        return scene.turn(of(scene, "mail_not_now", case))
    return act(scene, case, command, scene.say("confided", tail=tail(case.case_no)))


def _human(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    return scene.turn(say(scene, "mail_human"), effects=(Handoff("asked"),))


def _opt(scene: Scene, wish: Wish) -> Turn | Ask:
    out = wish.intent is Intent.OPT_OUT
    return scene.turn(scene.say("mail_out" if out else "mail_in"), effects=(OptOut(out=out),))


def _bind(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    return binding.asked(scene) or scene.turn()


COMMANDS: dict[Intent | None, Callable[[Scene, Wish], Turn | Ask]] = {
    Intent.PROGRESS: _progress,
    Intent.URGE: _urge,
    Intent.WITHDRAW: _ask_withdraw,
    Intent.RATE: _rate,
    Intent.CONFIDE: _confide,
    Intent.HUMAN: _human,
    Intent.OPT_OUT: _opt,
    Intent.OPT_IN: _opt,
    Intent.BIND: _bind,
}
"""What a first line asks for, and who does it; adding to a case is a letter's own matter."""
