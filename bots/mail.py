"""Letters: each is answered once and needs no second one to become a case (domain.md 4.5).

A sender's address is weak proof. What is told of a case goes only to the address it was opened from; whoever answers
one of our letters from elsewhere may add to the case and sees nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bots import binding, progress, rating, slots, sms, welcome
from bots.contract import Act, Alert, AskFound, AskNumber, AskOwn, AskProved, Handoff, Link, OptOut, Turn
from bots.intent import Intent, intent_of
from bots.scene import Scene, due_line, idle, tail, title, unit_of
from bots.state import Order
from bots.submission import submission
from normalizer import case_no, numbers
from normalizer.case import CITIZEN_LABELS, OPEN, Actor, Case, Command, Role, Stage, Verb
from normalizer.codes import Kind
from normalizer.draft import title_of
from normalizer.emergency import EmergencyKind, detect
from normalizer.evolve import evolve
from normalizer.people import mask
from normalizer.text import for_matching, han_count

if TYPE_CHECKING:
    from bots.contract import Ask, NewNumber
    from bots.sms import Wish
    from bots.state import State
    from normalizer.case import Attachment

CITIZEN = Actor(Role.CITIZEN)
SAYS_SOMETHING = 4
"""Chinese characters of a subject that says what the letter is about."""
SHOWN, LATEST, OPINION, REASON = 24, 200, 500, 200

_PREFIX = re.compile(r"^(?:(?:re|fw|fwd|回复|答复|转发)\s*[:：]\s*)+", re.IGNORECASE)
_TAG = re.compile(r"\[\s*12345\s*-\s*([0-9]{17})\s*\]")
_EMPTY_SUBJECT = re.compile("(?:无主题|你好|您好|反映问题|投诉|举报|咨询|求助|建议|市民来信|来信|邮件)*")
_DEAR = re.compile(r"^(?:尊敬的)?(?:您好|你好|您们好|领导|工作人员|老师|同志|客服|[，,：:！!。 ])+\n+")
"""A line that only greets; a command may stand below it."""
_CONFIRM = re.compile(r"确认撤回[\s:：]*([0-9]{7}|[0-9]{17})?[。.!！]*")
_CONTENT = re.compile("谢|满意|解决了|办好了")
_DISCONTENT = re.compile("没|未|不|别|但|可是|还")
_RATED = re.compile("[1-5]")
_RATEABLE = frozenset({Stage.CLOSED_PENDING, Stage.VISITED})
_WHAT = {Intent.URGE: "催办", Intent.WITHDRAW: "撤回", Intent.CONFIDE: "保密", Intent.RATE: "评价 5"}


def answered(scene: Scene) -> Turn | Ask:
    """Answer a letter, or say what must be known first; what a machine sent is never answered."""
    if scene.reading.automatic:
        about = scene.reading.about
        return Turn(scene.state, effects=(Link(about),) if about else ())
    done = _answer(scene)
    return _written(scene, _alarmed(scene, done)) if isinstance(done, Turn) else done


def _answer(scene: Scene) -> Turn | Ask:
    if scene.facts.own is None:
        return AskOwn()
    line, _, rest = _DEAR.sub("", scene.reading.text).partition("\n")
    first = evolve(
        scene.reading, text=line, matching=for_matching(line), digit=numbers.digit(line) if line else None
    )
    if pair := progress.PAIR.fullmatch(line):
        return _by_code(scene, pair.group(1), pair.group(2))
    wish = sms.command(first) or sms.Wish(*intent_of(first))
    wish = replace(wish, words=f"{wish.words}\n{rest}".strip())
    scene = evolve(scene, intent=wish.intent, number=wish.number, words=wish.words)
    if (found := _CONFIRM.fullmatch(line)) is not None:
        return _withdraw(scene, found.group(1) or "")
    if wish.intent in _COMMANDS:
        return _COMMANDS[wish.intent](scene, wish)
    return _letter(scene)


def _letter(scene: Scene) -> Turn | Ask:
    """Take a letter without a command: about a case it adds to it, else it is a new matter."""
    own, reading = _spoken_of(scene), scene.reading
    if own is None and scene.intent is Intent.THANKS:
        return scene.turn()
    if own is not None:
        digit = _RATED.fullmatch(reading.text.strip())
        if digit and own.stage in _RATEABLE:
            return _scored(scene, own, int(digit.group()), "")
        return _added(scene, own, reading.text, reading.attachments)
    if reading.about:
        if scene.facts.proved is None:
            return AskProved(reading.about)
        if scene.facts.proved:
            return _added_by_another(scene, scene.facts.proved[0])
    return _matter(scene)


def _spoken_of(scene: Scene) -> Case | None:
    """Return the sender's own case that the letter proves or names; one that is not his own is not told of."""
    tag = _TAG.search(scene.reading.subject)
    named = scene.reading.about or (tag.group(1) if tag else "")
    return next((case for case in scene.facts.own or () if case.case_no == named), None)


def _added(scene: Scene, case: Case, text: str, attachments: tuple[Attachment, ...]) -> Turn:
    """Add to a case; to one that ended it is an objection where the rules allow one."""
    if not text and not attachments:
        asked = (_of(scene, "mail_supplement_how", case),) if scene.intent is Intent.SUPPLEMENT else ()
        return scene.turn(
            *asked, state=evolve(scene.state, target=case.case_no), effects=(Link(case.case_no),)
        )
    ended = case.stage not in OPEN
    thanks = scene.intent is Intent.THANKS or (_CONTENT.search(text) and not _DISCONTENT.search(text))
    if thanks and not attachments and (ended or scene.intent is Intent.THANKS):
        return scene.turn(effects=(Link(case.case_no),))
    for verb, key in _ADDING[ended]:
        command = Command(verb, CITIZEN, text=text, reason=mask(text)[:REASON], attachments=attachments)
        if scene.allows(case, command):
            if verb is not Verb.SUPPLEMENT and han_count(text) < slots.MIN_HAN:
                return scene.turn(_of(scene, "mail_closed_short", case), effects=(Link(case.case_no),))
            return _act(scene, case, command, _of(scene, key, case), *_unread(scene))
    return scene.turn(_of(scene, "mail_ended", case), effects=(Link(case.case_no),))


_ADDING: dict[bool, tuple[tuple[Verb, str], ...]] = {
    False: ((Verb.SUPPLEMENT, "mail_supplemented"),),
    True: (
        (Verb.SUPPLEMENT, "mail_supplemented"),
        (Verb.OBJECT, "mail_objected"),
        (Verb.REWORK, "mail_reopened"),
    ),
}
"""What adding to a case may mean, by whether it has ended (domain.md 3.2 rows 4, 5, 10 and 34)."""


def _added_by_another(scene: Scene, case: Case) -> Turn:
    reading = scene.reading
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=reading.text, attachments=reading.attachments)
    if not (reading.text or reading.attachments) or not scene.allows(case, command):
        return scene.turn(_say(scene, "mail_ended_unshown"), effects=(Link(case.case_no),))
    words = scene.say("mail_supplemented", tail=case.case_no[-7:])
    return _act(scene, case, command, words, *_unread(scene))


def _matter(scene: Scene) -> Turn | Ask:
    """Open a case from a letter, or ask back once when nothing can be made of it."""
    reading, kept, state = scene.reading, scene.state.order, scene.state
    subject = _subject(reading.subject)
    text = "\n".join(part for part in (kept.text, reading.text) if part)
    if han_count(text) < slots.MIN_HAN and subject and subject not in text:
        text = f"{subject}，{text}".rstrip("，")
    if han_count(text) < slots.MIN_HAN and (foreign := welcome.language(scene)) is not None:
        return foreign
    heard = evolve(reading, text=text[: slots.TEXT_LENGTH], matching=for_matching(text[:500]))
    files = kept.attachments + reading.attachments
    order = slots.absorb(Order(since=scene.now, attachments=files), heard, scene)
    if han_count(mask(order.text)) < slots.MIN_HAN:
        return _too_little(scene, order)
    if scene.facts.number is None:
        return AskNumber()
    if order.kind is Kind.REPORT and order.secret is None:
        order = evolve(order, secret=True)
    effect = submission(order, scene.facts.number, scene.city, lang=scene.state.lang, elderly=False)
    name = effect.matter.title if not subject or kept.text else mask(title_of(subject))
    effect = replace(
        effect,
        complainant=replace(effect.complainant, email=scene.facts.sender),
        matter=replace(effect.matter, title=name),
        accept=effect.accept and bool(order.phone) and not reading.damaged,
    )
    said = [_receipt(scene, "mail_done_accepted" if effect.accept else "mail_done", scene.facts.number)]
    said += [scene.say("mail_secret")] if order.secret else []
    missing = [what for what, known in _wanted(scene, order) if not known]
    said += [scene.say("mail_missing", what="和".join(missing))] if missing else []
    said += [scene.say("mail_commands")]
    damaged = (Handoff("damaged"),) if reading.damaged else ()
    done = idle(state, order=Order(), target=effect.number.case_no)
    return scene.turn(*said, *_unread(scene), state=done, effects=(effect, *damaged))


def _wanted(scene: Scene, order: Order) -> tuple[tuple[str, bool], ...]:
    no_place = order.kind in {Kind.INQUIRY, Kind.SUGGESTION, Kind.GUIDANCE, Kind.PRAISE}
    needs = order.category in scene.city.place_categories if order.category else not no_place
    return (("地点", bool(order.place) or not needs), ("联系电话", bool(order.phone)))


def _receipt(scene: Scene, key: str, number: NewNumber) -> str:
    city = scene.city
    return scene.say(
        key,
        case_no=number.case_no,
        code=number.query_code,
        hours=city.accept_hours,
        mail_hours=city.mail_hours,
    )


def _too_little(scene: Scene, order: Order) -> Turn:
    state = scene.state
    if state.order.since is not None or scene.reading.damaged:
        effects = (Handoff("damaged" if scene.reading.damaged else "too little", phone=order.phone),)
        words = (_say(scene, "mail_too_little"), *_unread(scene))
        return scene.turn(*words, state=idle(state, order=Order()), effects=effects)
    return scene.turn(scene.say("mail_ask_more"), state=idle(state, order=order))


def _subject(subject: str) -> str:
    """Return a subject without what mail programs and we put before it; nothing when it says nothing."""
    bare = _PREFIX.sub("", _TAG.sub("", subject).strip()).strip()
    says = han_count(bare) >= SAYS_SOMETHING and not _EMPTY_SUBJECT.fullmatch(bare)
    return bare if says else ""


def _unread(scene: Scene) -> tuple[str, ...]:
    return (scene.say("mail_damaged"),) if scene.reading.damaged else ()


# Commands


def _chosen(scene: Scene, suits: Callable[[Case], bool], what: str) -> Case | Turn | Ask:
    """Return the own case that a command is for, or what is said where none or several could be meant."""
    own = scene.facts.own or ()
    if scene.number:
        return _by_number(scene, own)
    if (spoken := _spoken_of(scene)) is not None:
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


def _open(case: Case) -> bool:
    return case.stage in OPEN


def _progress(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001 - every command has one shape
    case = _chosen(scene, lambda case: True, "")  # noqa: ARG005
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
    how = (scene.say("mail_rate_how"),) if case.stage in _RATEABLE else ()
    return scene.turn(words, *how, effects=(Link(case.case_no),))


def _by_code(scene: Scene, given: str, code: str) -> Turn | Ask:
    number = case_no.parse(given)
    if number is None:
        return scene.turn(scene.say("mail_bad_number"))
    if any(case.case_no == number for case in scene.facts.own or ()):
        return _progress(evolve(scene, number=number), sms.Wish(Intent.PROGRESS))
    found = scene.facts.found
    if found is None:
        return AskFound(number, code)
    if found.case is None:
        return scene.turn(_say(scene, "mail_code_locked" if found.locked else "mail_wrong_code"))
    return scene.turn(progress.least(scene, found.case))


def _supplement(scene: Scene, wish: Wish) -> Turn | Ask:
    if not wish.number and scene.reading.about and _spoken_of(scene) is None:
        return _letter(evolve(scene, reading=evolve(scene.reading, text=wish.words)))
    case = _chosen(scene, _open, "补充")
    return _added(scene, case, wish.words, scene.reading.attachments) if isinstance(case, Case) else case


def _urge(scene: Scene, wish: Wish) -> Turn | Ask:
    case = _chosen(scene, _open, _WHAT[Intent.URGE])
    if not isinstance(case, Case):
        return case
    command = Command(Verb.URGE, CITIZEN, text=wish.words)
    refused = scene.refusal(case, command)
    if refused and refused != "urged_lately":
        return scene.turn(_of(scene, "mail_not_now", case))
    key = "mail_urged_lately" if refused else "mail_urged"
    words = scene.say(key, unit=unit_of(case), count=len(case.urges) + 1, due=due_line(scene, case))
    return scene.turn(words) if refused else _act(scene, case, command, words)


def _ask_withdraw(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    case = _chosen(scene, _open, _WHAT[Intent.WITHDRAW])
    if not isinstance(case, Case):
        return case
    return _refused_withdrawal(scene, case) or scene.turn(_of(scene, "mail_confirm_withdraw", case))


def _withdraw(scene: Scene, number: str) -> Turn | Ask:
    """Withdraw on the second word, which must prove by its thread or number that our first letter was read."""
    if not number and not scene.reading.about:
        return _ask_withdraw(scene, sms.Wish(Intent.WITHDRAW))
    case = _chosen(evolve(scene, number=number), _open, "确认撤回")
    if not isinstance(case, Case):
        return case
    command = Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回")
    refused = _refused_withdrawal(scene, case)
    return refused or _act(scene, case, command, _of(scene, "mail_withdrawn", case))


def _refused_withdrawal(scene: Scene, case: Case) -> Turn | None:
    refused = scene.refusal(case, Command(Verb.WITHDRAW, CITIZEN))
    if refused is None:
        return None
    key = "mail_withdraw_refused" if refused == "report_under_check" else "mail_not_now"
    return scene.turn(_of(scene, key, case))


def _rate(scene: Scene, wish: Wish) -> Turn | Ask:
    score, opinion = rating.read(evolve(scene.reading, matching=f"pj {wish.words}", digit=None))
    case = _chosen(scene, lambda case: case.stage in _RATEABLE, _WHAT[Intent.RATE])
    if not isinstance(case, Case):
        return case
    if score is None:
        return scene.turn(scene.say("mail_rate_how"))
    return _scored(scene, case, score, opinion)


def _scored(scene: Scene, case: Case, score: int, opinion: str) -> Turn:
    done = rating.rated(scene, case, score, opinion)
    return done or scene.turn(scene.say("mail_nothing_to_rate"))


def _confide(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    case = _chosen(scene, _open, _WHAT[Intent.CONFIDE])
    if not isinstance(case, Case):
        return case
    command = Command(Verb.SUPPLEMENT, CITIZEN, text="本人要求对个人信息保密", flag=True)
    if not scene.allows(case, command):
        return scene.turn(_of(scene, "mail_not_now", case))
    return _act(scene, case, command, scene.say("confided", tail=tail(case.case_no)))


def _human(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    return scene.turn(_say(scene, "mail_human"), effects=(Handoff("asked"),))


def _opt(scene: Scene, wish: Wish) -> Turn | Ask:
    out = wish.intent is Intent.OPT_OUT
    return scene.turn(scene.say("mail_out" if out else "mail_in"), effects=(OptOut(out=out),))


def _bind(scene: Scene, wish: Wish) -> Turn | Ask:  # noqa: ARG001
    return binding.asked(scene) or scene.turn()


_COMMANDS: dict[Intent | None, Callable[[Scene, Wish], Turn | Ask]] = {
    Intent.PROGRESS: _progress,
    Intent.SUPPLEMENT: _supplement,
    Intent.URGE: _urge,
    Intent.WITHDRAW: _ask_withdraw,
    Intent.RATE: _rate,
    Intent.CONFIDE: _confide,
    Intent.HUMAN: _human,
    Intent.OPT_OUT: _opt,
    Intent.OPT_IN: _opt,
    Intent.BIND: _bind,
}


# The letter


def _act(scene: Scene, case: Case, command: Command, *words: str) -> Turn:
    state: State = idle(scene.state, target=case.case_no)
    damaged = (Handoff("damaged"),) if scene.reading.damaged else ()
    return scene.turn(*words, state=state, effects=(Act(case.case_no, case.rev, command), *damaged))


def _of(scene: Scene, key: str, case: Case) -> str:
    stage = CITIZEN_LABELS[case.stage]
    return scene.say(key, tail=case.case_no[-7:], case_no=case.case_no, stage=stage)


def _say(scene: Scene, key: str) -> str:
    return scene.say(key, hotline=scene.city.hotline, mail_hours=scene.city.mail_hours)


def _alarmed(scene: Scene, done: Turn) -> Turn:
    """Return the turn with the numbers to call first and the people on duty told, when somebody may be in danger."""
    emergency = scene.reading.emergency or detect(_subject(scene.reading.subject))
    if emergency is None:
        return done
    own = emergency.kind is EmergencyKind.SELF_HARM
    words = scene.say("mail_danger_self" if own else "mail_danger")
    urgent = (Alert(emergency), Handoff(f"danger:{emergency.kind}", urgent=True))
    return Turn(done.state, (words, *done.replies), (*urgent, *done.effects))


def _written(scene: Scene, done: Turn) -> Turn:
    """Return the turn with its paragraphs as one letter, the first with the notice (个保法 17)."""
    if not done.replies:
        return done
    city, state = scene.city, evolve(done.state, at=scene.now, notice_version=scene.city.notice_version)
    new = scene.state.notice_version != city.notice_version
    privacy = scene.say("privacy", url=city.privacy_url) if city.privacy_url else ""
    notice = (scene.say("mail_notice", privacy=privacy),) if new else ()
    sign = scene.say("mail_sign", city=city.name, hotline=city.hotline)
    paragraphs = (scene.say("mail_dear"), *done.replies, *notice, sign)
    return Turn(state, ("\n\n".join(paragraphs),), done.effects)
