"""From the citizen's word to the agent and back, through the pipeline; and the accounts of the staff."""

import pyotp
import pytest
from sqlalchemy import select

from gateway.desk.accounts import LOCK_MS, Account, Accounts, Outcome
from gateway.desk.presence import State
from gateway.desk.rights import Role
from gateway.store import desk as sql
from gateway.store.tables import ALERT


async def test_t28_while_an_agent_has_the_talk_the_bot_is_silent_and_the_clock_starts_anew(
    gateway, person, clock
):
    agent, talk = await _taken(gateway, person)
    await gateway.desk.reply(agent, talk.conversation, talk.epoch, "您好", "e1")
    clock.wait(seconds=30)
    assert await person.says("还有一件事") is None
    after = await _talk(gateway, person)
    assert (after.owner, after.clock, after.epoch) == ("agent", "silent", talk.epoch)
    assert after.waiting_since is not None
    assert [event.kind for event in await gateway.desk.events(0)][-1] == "message"


async def test_danger_told_to_an_agent_alerts_the_people_on_duty_and_the_bot_says_nothing(gateway, person):
    await _taken(gateway, person)
    assert await person.says("我家着火了，快来人") is None
    assert len(await _alerts(gateway)) == 1


async def test_danger_told_to_the_bot_is_an_alert_on_the_event_stream(gateway, person):
    await person.says("我家着火了，快来人")
    (alert,) = await _alerts(gateway)
    told = [event for event in await gateway.desk.events(0) if event.kind == "alert"]
    assert [(event.detail, event.owner) for event in told] == [(alert.hex(), "bot")]


async def test_t23_who_writes_during_the_wrap_up_has_his_talk_open_again(gateway, person):
    agent, talk = await _taken(gateway, person)
    held = await gateway.desk.wrap_up(agent, talk.conversation, talk.epoch)
    await person.says("等一下")
    after = await _talk(gateway, person)
    assert (after.owner, after.agent, after.epoch) == ("agent", agent, held.epoch + 1)


async def test_t15_and_t18_after_the_close_the_bot_answers_and_a_person_can_be_asked_for_again(
    gateway, person
):
    agent, talk = await _taken(gateway, person)
    await gateway.desk.close(agent, talk.conversation, talk.epoch)
    assert await person.says("你好")
    await gateway.desk.choose(agent, State.AWAY)
    assert "登记转人工" in (await person.says("转人工") or "")
    assert (await _talk(gateway, person)).owner == "queued"


async def test_t18_after_the_return_the_bot_answers_whatever_is_said(gateway, person):
    agent, talk = await _taken(gateway, person)
    assert await person.says("你好") is None
    await gateway.desk.give_back(agent, talk.conversation, talk.epoch)
    assert await person.says("你好")
    assert "没有查到" in (await person.says("3") or "")
    assert (await _talk(gateway, person)).owner == "bot"


async def test_who_leaves_the_queue_is_in_nobodys_way(gateway, person):
    await person.says("转人工")
    await person.says("返回")
    after = await _talk(gateway, person)
    assert (after.owner, after.rank) == ("bot", None)


async def test_a_one_time_password_lets_in_and_five_wrong_ones_lock(accounts, clock):
    password = await accounts.add("li", "李", Role.AGENT)
    outcome, account = await accounts.verify("li", password)
    assert (outcome, account is not None and account.one_time) == (Outcome.RIGHT, True)
    outcomes = [(await accounts.verify("li", "wrong"))[0] for _ in range(5)]
    assert outcomes == [Outcome.WRONG] * 4 + [Outcome.LOCKED]
    assert (await accounts.verify("li", password))[0] is Outcome.LOCKED
    clock.wait(milliseconds=LOCK_MS)
    assert (await accounts.verify("li", password))[0] is Outcome.RIGHT


async def test_a_code_of_the_second_factor_counts_once(accounts, clock):
    password = await accounts.add("li", "李", Role.AGENT)
    account = await _account(accounts, password)
    secret = accounts.enrol()
    totp = pyotp.TOTP(secret)
    assert await accounts.confirm(account.id, secret, totp.at(clock.now))
    assert (await accounts.verify("li", password))[0] is Outcome.NEEDS_CODE
    assert (await accounts.verify("li", password, totp.at(clock.now)))[0] is Outcome.WRONG
    clock.wait(seconds=30)
    assert (await accounts.verify("li", password, totp.at(clock.now)))[0] is Outcome.RIGHT


async def test_a_disabled_account_and_one_that_is_not_there_look_alike(accounts):
    password = await accounts.add("li", "李", Role.AGENT)
    await accounts.disable("li")
    assert (await accounts.verify("li", password))[0] is Outcome.WRONG
    assert (await accounts.verify("nobody", password))[0] is Outcome.WRONG


async def test_a_reset_ends_the_sessions_and_the_old_password(accounts):
    old = await accounts.add("li", "李", Role.AGENT)
    before = await _account(accounts, old)
    new = await accounts.reset("li")
    assert (await accounts.verify("li", old))[0] is Outcome.WRONG
    assert (await _account(accounts, new)).session_version == before.session_version + 1


async def _account(accounts: Accounts, password: str) -> Account:
    _, account = await accounts.verify("li", password)
    assert account is not None
    return account


async def _talk(gateway, person) -> sql.Talk:
    conversation = gateway.books.sealer.conversation("wx", person.user)
    found = await gateway.books.store.read(lambda c: sql.seen(c, conversation))
    assert found is not None
    return found


async def _alerts(gateway) -> list[bytes]:
    return await gateway.books.store.read(lambda c: list(c.execute(select(ALERT.c.id)).scalars()))


async def _taken(gateway, person) -> tuple[bytes, sql.Talk]:
    """Ask for a person and let one take the talk, who is busy so that the router leaves it to him."""
    password = await gateway.accounts.add("li", "李", Role.AGENT)
    _, account = await gateway.accounts.verify("li", password)
    await gateway.desk.choose(account.id, State.BUSY)
    await gateway.desk.beat(account.id, "tab")
    await person.says("转人工")
    waiting = await _talk(gateway, person)
    await gateway.desk.take(account.id, waiting.conversation, waiting.epoch)
    return account.id, await _talk(gateway, person)


@pytest.fixture
def accounts(gateway) -> Accounts:
    return gateway.accounts
