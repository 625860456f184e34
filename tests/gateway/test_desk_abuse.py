"""The ladder against abuse: by people, step by step, for a time, and never against danger."""

import pytest
from sqlalchemy import func, select, update

from gateway.desk.abuse import Ground, Ladder, Level
from gateway.desk.moves import Refused
from gateway.desk.rights import Role
from gateway.runtime import Ids
from gateway.store import desk as sql
from gateway.store.tables import ALERT, CASES, INBOX, OUTGOING
from normalizer.errors import InvalidInput
from normalizer.message import SourceChannel
from tests.kit.gateway import Person
from tests.kit.staff import staff, talk_of
from tests.kit.writer import PHONE, Writer, outgoing, reached

LETTER = {"account": "mail", "user": "zhang@example.com", "source": SourceChannel.EMAIL}
WRITERS = pytest.mark.parametrize(
    ("account", "user", "source", "letter"),
    [
        pytest.param("sms", PHONE, SourceChannel.SMS, {}, id="text message"),
        pytest.param(*LETTER.values(), {"subject": "来信"}, id="mail"),
    ],
)


async def test_no_step_is_skipped_and_a_restriction_waits_for_another_person(ladder, people, talk):
    li, wang = people
    with pytest.raises(Refused, match="state"):
        await ladder.mark(li, talk, Level.RESTRICT, Ground.INSULT, hours=24)
    await ladder.mark(li, talk, Level.NOTICE, Ground.INSULT)
    await ladder.mark(li, talk, Level.BOT_ONLY, Ground.INSULT, hours=2)
    step = await ladder.mark(li, talk, Level.RESTRICT, Ground.INSULT, hours=24)
    assert (step.state, step.until) == ("proposed", None)
    with pytest.raises(Refused, match="right"):
        await ladder.decide(li, step.id, granted=True)
    assert [each.id for each in await ladder.to_review()] == [step.id]
    assert (await ladder.decide(wang, step.id, granted=True)).state == "active"
    with pytest.raises(Refused, match="state"):
        await ladder.decide(wang, step.id, granted=True)


async def test_nobody_decides_his_own_proposal(ladder, people, talk):
    _, wang = people
    await _up_to(ladder, wang, talk, Level.BOT_ONLY)
    step = await ladder.mark(wang, talk, Level.RESTRICT, Ground.THREAT, hours=24)
    with pytest.raises(Refused, match="right"):
        await ladder.decide(wang, step.id, granted=True)


@pytest.mark.parametrize(
    ("level", "hours"),
    [
        (Level.NOTICE, 1),
        (Level.BOT_ONLY, 0),
        (Level.BOT_ONLY, 25),
        (Level.RESTRICT, 169),
        (Level.EVIDENCE, 1),
    ],
)
async def test_every_restriction_has_an_end_that_is_not_too_far(ladder, people, talk, level, hours):
    with pytest.raises(InvalidInput):
        await ladder.mark(people[0], talk, level, Ground.INSULT, hours=hours)


async def test_t30_who_is_restricted_is_told_once_and_then_nothing_is_sent_but_all_is_kept(
    gateway, person, ladder, people, talk
):
    await _restricted(ladder, people, talk)
    first = await person.says("转人工")
    assert first is not None
    assert "申诉" in first
    assert await person.says("转人工") is None
    assert await person.says("又是你们") is None
    assert (await talk_of(gateway, person)).owner == "bot"
    count = select(func.count()).select_from(INBOX)
    assert await gateway.books.store.read(lambda c: c.execute(count).scalar()) == 4


async def test_t30_words_of_danger_reach_a_person_through_every_restriction(
    gateway, person, ladder, people, talk
):
    await _restricted(ladder, people, talk)
    assert "119" in (await person.says("我家着火了快来人") or "")
    assert (await talk_of(gateway, person)).owner == "queued"
    alerts = select(func.count()).select_from(ALERT)
    assert await gateway.books.store.read(lambda c: c.execute(alerts).scalar()) == 1


@WRITERS
async def test_the_ladder_holds_by_text_message_and_by_mail(
    database, tmp_path, clock, account, user, source, letter
):
    async with reached(database, tmp_path, clock) as gateway:
        writer, people = Writer(gateway, clock, account, user, source), await _people(gateway)
        await writer.says("你好", **letter)
        talk = (await talk_of(gateway, writer)).conversation
        ladder = _ladder(gateway, clock)
        await _up_to(ladder, people[0], talk, Level.BOT_ONLY)
        assert "智能客服" in await writer.says("转人工", **letter) or account == "sms"
        assert (await talk_of(gateway, writer)).owner == "bot"
        step = await ladder.mark(people[0], talk, Level.RESTRICT, Ground.INSULT, hours=24)
        await ladder.decide(people[1], step.id, granted=True)
        assert "暂停到" in await writer.says("泰山区青年路路灯坏了影响出行", **letter)
        assert await writer.says("泰山区青年路路灯坏了还没人修", **letter) == ""
        cases = select(func.count()).select_from(CASES)
        assert await gateway.books.store.read(lambda c: c.execute(cases).scalar()) == 0
        assert "复核" in await writer.says("我要申诉", **letter)
        assert "119" in await writer.says("我家着火了快来人", **letter)
        assert (await talk_of(gateway, writer)).owner == "queued"
        await ladder.lift(people[1], step.id)
        assert "已恢复" in (await outgoing(gateway))[-1][1]


async def test_a_letter_whose_subject_alone_tells_of_danger_passes_and_one_that_appeals_there_is_heard(
    database, tmp_path, clock
):
    async with reached(database, tmp_path, clock) as gateway:
        writer, people = Writer(gateway, clock, **LETTER), await _people(gateway)
        await writer.says("你好", subject="你好")
        talk = (await talk_of(gateway, writer)).conversation
        await _restricted(_ladder(gateway, clock), people, talk)
        assert "复核" in await writer.says("请看标题，谢谢你们", subject="申诉：对限制不服")
        assert "119" in await writer.says("地址青年路8号", subject="我家着火了快来人")
        assert (await talk_of(gateway, writer)).owner == "queued"


async def test_a_restriction_ends_by_itself(person, clock, ladder, people, talk):
    await _restricted(ladder, people, talk)
    clock.wait(hours=24, seconds=1)
    assert "转人工" in (await person.says("转人工") or "")


async def test_who_has_the_bot_alone_is_served_by_it(person, ladder, people, talk):
    await _up_to(ladder, people[0], talk, Level.BOT_ONLY)
    assert "智能客服" in (await person.says("转人工") or "")
    assert await person.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")


@pytest.mark.parametrize("words", ["我要申訴", "Appeal", "I appeal against this."])
async def test_an_appeal_is_taken_in_the_script_that_its_writer_has(person, ladder, people, talk, words):
    step = await _restricted(ladder, people, talk)
    await person.says(words)
    assert [each.id for each in await ladder.to_review()] == [step.id]


async def test_an_appeal_is_looked_at_and_what_is_lifted_is_told(gateway, person, ladder, people, talk):
    _, wang = people
    step = await _restricted(ladder, people, talk)
    assert await ladder.to_review() == ()
    assert "复核" in (await person.says("我要申诉") or "")
    (appealed,) = await ladder.to_review()
    assert (appealed.id, appealed.appealed) == (step.id, True)
    await ladder.lift(wang, step.id)
    assert await ladder.to_review() == ()
    told = select(OUTGOING.c.body).where(OUTGOING.c.notice == "quiet")
    body = await gateway.books.store.read(lambda c: c.execute(told).scalar())
    assert "已恢复" in gateway.books.sealer.open(body).decode()
    assert "登记转人工" in (await person.says("转人工") or "")


async def test_the_answer_to_another_talks_appeal_answers_nobody_elses(
    gateway, person, clock, ladder, people, talk
):
    zhou = await staff(gateway, "zhou", Role.SUPERVISOR)
    other = Person(gateway, clock, user="oOther")
    await other.says("你好")
    steps = []
    for who, where in ((person, talk), (other, (await talk_of(gateway, other)).conversation)):
        steps.append(await _restricted(ladder, people, where))
        await who.says("申诉")
    await ladder.uphold(zhou, steps[1].id, reason="证据清楚")
    assert [each.id for each in await ladder.to_review()] == [steps[0].id]


async def test_an_appeal_that_is_refused_is_answered_by_another_and_waits_no_more(
    gateway, person, ladder, people, talk
):
    _, wang = people
    step = await _restricted(ladder, people, talk)
    zhou = await staff(gateway, "zhou", Role.SUPERVISOR)
    with pytest.raises(Refused, match="state"):
        await ladder.uphold(zhou, step.id)
    await person.says("我要申诉")
    with pytest.raises(Refused, match="right"):
        await ladder.uphold(wang, step.id, reason="维持")
    await ladder.uphold(zhou, step.id, reason="证据清楚")
    assert await ladder.to_review() == ()
    assert [(each.id, each.state, each.appealed) for each in await ladder.open()] == [
        (step.id, "active", False)
    ]
    told = select(OUTGOING.c.body).where(OUTGOING.c.notice == "quiet")
    body = await gateway.books.store.read(lambda c: c.execute(told).scalar())
    assert "维持到期满" in gateway.books.sealer.open(body).decode()
    last = [e for e in await gateway.desk.events(0) if e.kind == "abuse"][-1]
    assert (last.detail, gateway.books.sealer.open(last.note).decode()) == ("3 upheld", "证据清楚")


async def test_every_step_is_an_event_with_who_took_it(gateway, ladder, people, talk):
    await _restricted(ladder, people, talk)
    events = [e for e in await gateway.desk.events(0) if e.kind == "abuse"]
    li, wang = people
    assert [(e.detail, e.actor) for e in events] == [
        ("1 noted", li.id),
        ("2 active", li.id),
        ("3 proposed", li.id),
        ("3 active", wang.id),
    ]


async def test_who_urges_an_overdue_case_is_not_held_off_for_urging(gateway, person, ladder, people, talk):
    li, _ = people
    await person.reports()
    await gateway.books.store.write(lambda c: c.execute(update(CASES).values(deadline_at=1)))
    await ladder.mark(li, talk, Level.NOTICE, Ground.FLOOD)
    with pytest.raises(Refused, match="state"):
        await ladder.mark(li, talk, Level.BOT_ONLY, Ground.FLOOD, hours=2)
    await ladder.mark(li, talk, Level.BOT_ONLY, Ground.THREAT, hours=2)


async def _up_to(ladder, by, talk, level):
    await ladder.mark(by, talk, Level.NOTICE, Ground.INSULT)
    if level >= Level.BOT_ONLY:
        await ladder.mark(by, talk, Level.BOT_ONLY, Ground.INSULT, hours=2)


async def _restricted(ladder, people, talk):
    li, wang = people
    await _up_to(ladder, li, talk, Level.BOT_ONLY)
    step = await ladder.mark(li, talk, Level.RESTRICT, Ground.INSULT, hours=24, note="多次辱骂")
    return await ladder.decide(wang, step.id, granted=True)


@pytest.fixture
async def people(gateway):
    return await _people(gateway)


async def _people(gateway):
    return await staff(gateway), await staff(gateway, "wang", Role.SUPERVISOR)


@pytest.fixture
async def talk(gateway, person) -> bytes:
    await person.says("你好")
    found: sql.Talk = await talk_of(gateway, person)
    return found.conversation


@pytest.fixture
def ladder(gateway, clock) -> Ladder:
    return _ladder(gateway, clock)


def _ladder(gateway, clock) -> Ladder:
    books = gateway.books
    return Ladder(books.store, books.sealer, books.cases, Ids(), clock, lambda: None)
