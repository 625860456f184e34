"""Letters: each is answered once and needs no second one to become a case (domain.md 4.5).

A sender's address is weak proof, and none where our own mail server doubts it (``mail_proof``). What is told of a case goes only to the address it was opened from; whoever answers
one of our letters from elsewhere may add to the case and sees nothing of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bots import answers, guard, mail_commands, mail_proof, progress, service, slots, sms, welcome
from bots.contract import Alert, AskNumber, AskOwn, AskProved, Handoff, Link, Turn
from bots.intent import Intent, intent_of
from bots.mail_cases import RATEABLE, TAG, added, added_by_another, say, scored, spoken_of, unread
from bots.scene import Scene, idle
from bots.state import Flow, Order
from bots.submission import submission
from normalizer import numbers
from normalizer.case import Case
from normalizer.codes import Kind
from normalizer.draft import title_of
from normalizer.emergency import EmergencyKind, detect
from normalizer.evolve import evolve
from normalizer.people import mask
from normalizer.text import for_matching, han_count

if TYPE_CHECKING:
    from bots.contract import Ask, NewNumber
    from bots.sms import Wish
    from normalizer.draft import CaseDraft
    from normalizer.emergency import Emergency

SAYS_SOMETHING = 4
"""Chinese characters of a subject that says what the letter is about."""

_PREFIX = re.compile(r"^(?:(?:re|fw|fwd|回复|答复|转发)\s*[:：]\s*)+", re.IGNORECASE)
_EMPTY_SUBJECT = re.compile("(?:无主题|你好|您好|反映问题|投诉|举报|咨询|求助|建议|市民来信|来信|邮件)*")
_DEAR = re.compile(r"^(?:尊敬的)?(?:您好|你好|您们好|领导|工作人员|老师|同志|客服|[，,：:！!。 ])+\n+")
"""A line that only greets; a command may stand below it."""
_CONFIRM = re.compile(r"确认撤回[\s:：]*([0-9]{7}|[0-9]{17})?[。.!！]*")
_RATED = re.compile("[1-5]")


def answered(scene: Scene) -> Turn | Ask:
    """Answer a letter, or say what must be known first; what a machine sent is never answered."""
    if scene.reading.automatic:
        about = scene.reading.about
        return Turn(scene.state, effects=(Link(about),) if about else ())
    done = _answer(scene)
    return _written(scene, _alarmed(scene, done)) if isinstance(done, Turn) else done


def _answer(scene: Scene) -> Turn | Ask:
    if (held := _restricted(scene)) is not None:
        return held
    if scene.facts.own is None:
        return AskOwn()
    line, _, rest = _DEAR.sub("", scene.reading.text).partition("\n")
    judged = mail_proof.judged(scene, line)
    return _obeyed(judged, line, rest) if isinstance(judged, Scene) else judged


def _obeyed(scene: Scene, line: str, rest: str) -> Turn | Ask:
    """Do what the first line asks for, or take the whole as a letter."""
    if pair := progress.PAIR.fullmatch(line):
        return mail_commands.by_code(scene, pair.group(1), pair.group(2))
    line = mail_proof.without_code(line)
    first = evolve(
        scene.reading, text=line, matching=for_matching(line), digit=numbers.digit(line) if line else None
    )
    wish = sms.command(first) or sms.Wish(*intent_of(first))
    wish = replace(wish, words=f"{wish.words}\n{rest}".strip())
    state = service.kept(scene.state, first, wish.intent, scene.now, wish.number)
    scene = evolve(scene, intent=wish.intent, number=wish.number, words=wish.words, state=state)
    if (done := _restricted(scene) or _service_rated(scene, first)) is not None:
        return done
    confirmed = _CONFIRM.fullmatch(line)
    if scene.facts.doubted and (confirmed or wish.intent in mail_proof.GUARDED):
        return scene.turn(mail_proof.how(scene))
    if confirmed is not None:
        return mail_commands.withdraw(scene, confirmed.group(1) or "")
    if wish.intent in _COMMANDS:
        return _COMMANDS[wish.intent](scene, wish)
    return _letter(scene)


def _service_rated(scene: Scene, first: CaseDraft) -> Turn | Ask | None:
    """Take a score in the first line for the service of a person, where its rating was asked for last."""
    given = scene.state.flow is Flow.SERVICE and service.read(first) is not None
    return service.going_on(evolve(scene, reading=first)) if given and not scene.facts.doubted else None


def _letter(scene: Scene) -> Turn | Ask:
    """Take a letter without a command: about a case it adds to it, else it is a new matter."""
    own, reading = spoken_of(scene), scene.reading
    if own is None and scene.intent is Intent.THANKS:
        return scene.turn()
    if own is not None:
        digit = _RATED.fullmatch(reading.text.strip())
        if digit and own.stage in RATEABLE:
            return scored(scene, own, int(digit.group()), "")
        return added(scene, own, reading.text, reading.attachments)
    if reading.about:
        if scene.facts.proved is None:
            return AskProved(reading.about)
        if scene.facts.proved:
            return added_by_another(scene, scene.facts.proved[0])
    return _matter(scene)


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
    answer = answers.letter(scene)
    if not isinstance(answer, str):
        return answer
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
        accept=effect.accept and bool(order.phone) and not (reading.damaged or scene.facts.doubted),
    )
    said = [_receipt(scene, "mail_done_accepted" if effect.accept else "mail_done", scene.facts.number)]
    said += [answer] if answer else []
    said += [scene.say("mail_secret")] if order.secret else []
    missing = [what for what, known in _wanted(scene, order) if not known]
    said += [scene.say("mail_missing", what="和".join(missing))] if missing else []
    said += [scene.say("mail_commands")]
    damaged = (Handoff("damaged"),) if reading.damaged else ()
    done = idle(state, order=Order(), target=effect.number.case_no)
    return scene.turn(*said, *unread(scene), state=done, effects=(effect, *damaged))


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
        words = (say(scene, "mail_too_little"), *unread(scene))
        return scene.turn(*words, state=idle(state, order=Order()), effects=effects)
    return scene.turn(scene.say("mail_ask_more"), state=idle(state, order=order))


def _subject(subject: str) -> str:
    """Return a subject without what mail programs and we put before it; nothing when it says nothing."""
    bare = _PREFIX.sub("", TAG.sub("", subject).strip()).strip()
    says = han_count(bare) >= SAYS_SOMETHING and not _EMPTY_SUBJECT.fullmatch(bare)
    return bare if says else ""


def _supplement(scene: Scene, wish: Wish) -> Turn | Ask:
    if not wish.number and scene.reading.about and spoken_of(scene) is None:
        return _letter(evolve(scene, reading=evolve(scene.reading, text=wish.words)))
    case = mail_commands.chosen(scene, mail_commands.is_open, "补充")
    return added(scene, case, wish.words, scene.reading.attachments) if isinstance(case, Case) else case


_COMMANDS = mail_commands.COMMANDS | {Intent.SUPPLEMENT: _supplement}


def _restricted(scene: Scene) -> Turn | None:
    """Hold off whom a person at the desk has restricted, as in every other talk; words of danger pass (domain.md 1.11)."""
    if _emergency(scene) is not None:
        return None
    words = f"{for_matching(scene.reading.subject)}\n{scene.reading.matching}"
    return guard.restricted(evolve(scene, reading=evolve(scene.reading, matching=words)))


def _emergency(scene: Scene) -> Emergency | None:
    return scene.reading.emergency or detect(_subject(scene.reading.subject))


def _alarmed(scene: Scene, done: Turn) -> Turn:
    """Return the turn with the numbers to call first and the people on duty told, when somebody may be in danger."""
    emergency = _emergency(scene)
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
    sign = scene.say("mail_sign", city=scene.named, hotline=city.hotline)
    paragraphs = (scene.say("mail_dear"), *done.replies, *notice, sign)
    return Turn(state, ("\n\n".join(paragraphs),), done.effects)
