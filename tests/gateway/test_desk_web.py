"""The desk over HTTP: from the citizen's telephone to the agent's page and back. Ids: desk-and-open311.md 3.6."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from gateway.desk.rights import Role
from gateway.store.tables import ACCESS
from tests.kit.agent import PASSWORD, Agent
from tests.kit.gateway import Person
from tests.kit.hall import opened
from tests.kit.standin import until


async def test_what_an_agent_answers_is_read_on_the_citizens_telephone(hall):
    agent, citizen = await hall.busy("li"), hall.phone
    await citizen.says("转人工")
    [row] = await agent.queue()
    assert (row["state"], row["channel"], row["agent"]) == ("queued", "wechat", None)
    async with agent.follows((await agent.get("me"))["cursor"]) as live:
        taken = await agent.does(row["id"], "take", row["epoch"])
        assert (taken.status, taken.body["row"]["agent"]["id"]) == (200, agent.id)
        epoch = taken.body["row"]["epoch"]
        written = await agent.does(row["id"], "reply", epoch, text="您好，请讲", echo="e1")
        assert (written.status, written.body["state"]) == (201, "undo")
        hall.clock.wait(seconds=11)
        await until(lambda: "您好，请讲" in citizen.heard)
        await live.hears("line", lambda data: data["line"]["state"] in {"sent", "delivered"})
        await citizen.says("我家门口的路灯坏了")
        heard = await live.hears("line", lambda data: data["line"]["who"] == "citizen")
        assert heard.data["line"]["parts"][0]["text"] == "我家门口的路灯坏了"
        row = (await live.hears("talk", lambda data: data["row"]["unread"] == 1)).data["row"]
        assert (row["last"]["who"], row["sla"]["state"]) == ("citizen", "ok")
    talk = await agent.get(f"talks/{row['id']}")
    said = [(line["who"], line["parts"][0]["text"]) for line in talk["lines"]]
    assert ("citizen", "转人工") in said
    assert said.index(("agent", "您好，请讲")) < said.index(("citizen", "我家门口的路灯坏了"))


async def test_t01_two_who_take_at_once_through_two_processes_are_one_holder_and_one_who_is_told_who(hall):
    async with hall.another() as there:
        one, two = await hall.busy("li"), await hall.busy("wang", there)
        row = await hall.waits(one)
        answers = await asyncio.gather(*(each.does(row["id"], "take", row["epoch"]) for each in (one, two)))
        won = next(each for each in answers if each.status == 200)
        lost = next(each for each in answers if each.status == 409)
        assert (lost.kind, lost.body["holder"]) == ("taken", won.body["row"]["agent"])


async def test_t03_and_t04_who_waits_is_offered_to_the_first_who_comes_and_the_next_on_a_close(hall):
    await hall.phone.says("转人工")
    one = await hall.agent("li", capacity=1)
    [offer] = await _until_his(one)
    assert offer["state"] == "offered"
    second = Person(hall.phone.gateway, hall.clock, "oSecond")
    await second.says("转人工")
    held = await one.does(offer["id"], "accept", offer["epoch"])
    assert (await one.does(offer["id"], "close", held.body["row"]["epoch"])).status == 200
    [offer] = await _until_his(one)
    assert offer["id"] == hall.phone.gateway.books.sealer.conversation("wx", "oSecond").hex()


async def test_t23_who_asks_when_the_last_agent_has_just_left_is_told_that_nobody_is_there(hall):
    agent = await hall.agent("li")
    await agent.post("me/beat", {"tab": "tab", "closed": True})
    assert "没有工作人员在线" in await hall.phone.says("转人工")
    assert await agent.queue("mine") == []


async def test_t13_who_waits_is_seen_at_once_on_a_page_that_stands_open_at_another_process(hall):
    async with hall.another() as there:
        agent = await hall.busy("li", there)
        async with agent.follows() as live:
            await live.hears("ready")
            await hall.phone.says("转人工")
            told = await live.hears("talk")
            assert (told.data["row"]["state"], told.data["row"]["name"][:2]) == ("queued", "市民")


async def test_t16_what_an_agent_wrote_before_he_lost_the_talk_is_refused_and_the_bot_says_nothing(hall):
    agent, chief = await hall.busy("li"), await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.taken(agent)
    over = await chief.does(row["id"], "take", row["epoch"], over=True)
    late = await agent.does(row["id"], "reply", row["epoch"], text="我来回答", echo="e1")
    assert (late.status, late.kind, late.body["holder"]["id"]) == (409, "taken", chief.id)
    await until(lambda: any("wang" in each for each in hall.phone.heard))
    assert await hall.phone.says("你好") == ""
    epoch = over.body["row"]["epoch"]
    assert (await chief.does(row["id"], "reply", epoch, text="我来回答", echo="e1")).status == 201


async def test_t31_the_rating_of_a_service_stands_in_its_talk_and_on_the_wall(hall):
    agent, chief = await hall.busy("li"), await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.taken(agent)
    assert (await agent.does(row["id"], "close", row["epoch"])).status == 200
    assert (await chief.get("wall"))["service"] == {"asked": 1, "rated": 0, "satisfied": 0}
    assert "不满意" in await hall.phone.says("2")
    told = [
        part["text"] for line in (await agent.get(f"talks/{row['id']}"))["lines"] for part in line["parts"]
    ]
    assert told.count("市民评价这次服务：不满意") == 1
    assert (await chief.get("wall"))["service"] == {"asked": 1, "rated": 1, "satisfied": 0}


async def test_t19_a_talk_that_somebody_has_is_in_his_list_and_in_nobodys_queue(hall):
    agent = await hall.busy("li")
    row = await hall.taken(agent)
    assert [each["id"] for each in await agent.queue("mine")] == [row["id"]]
    assert [each["id"] for each in await agent.queue("all")] == [row["id"]]
    assert await agent.queue("waiting") == []


async def test_t20_a_page_that_comes_back_is_told_all_it_missed_once_by_whichever_process(hall):
    async with hall.another() as there:
        agent = await hall.busy("li")
        await hall.taken(agent)
        async with agent.follows() as live:
            await live.hears("ready")
            await hall.phone.says("第一句")
            seen = (await live.hears("talk", lambda data: data["row"]["unread"] == 1)).id
        said = [f"第{number}句" for number in range(2, 7)]
        for words in said[:3]:
            await hall.phone.says(words)
        elsewhere = Agent(there, "li")
        hall.agents.append(elsewhere)
        await elsewhere.enters(PASSWORD)
        async with elsewhere.follows(last=seen) as live:
            for words in said[3:]:
                await hall.phone.says(words)
            await live.hears("line", lambda data: data["line"]["parts"][0]["text"] == said[-1])
            told = [
                news.data["line"]["parts"][0]["text"]
                for news in live.told
                if news.kind == "line" and news.data["line"]["who"] == "citizen"
            ]
            assert told == said
            numbers = [int(news.id) for news in live.told if news.id]
            assert numbers == sorted(numbers)


async def test_a_page_that_missed_too_much_begins_anew(database, tmp_path):
    async with opened(database, tmp_path, desk={"replay_events": 1}) as hall:
        agent = await hall.busy("li")
        await hall.taken(agent)
        async with agent.follows("0") as live:
            assert (await live.hears("reset")).id == (await agent.get("me"))["cursor"]


async def test_t22_a_reply_that_is_sent_twice_is_one_and_a_take_that_is_clicked_twice_too(hall):
    agent = await hall.busy("li")
    row = await hall.taken(agent)
    again = await agent.does(row["id"], "take", row["epoch"] - 1)
    assert (again.status, again.body["holder"]["id"]) == (409, agent.id)
    answers = await asyncio.gather(
        *(agent.does(row["id"], "reply", row["epoch"], text="您好", echo="e1") for _ in range(3))
    )
    assert {each.status for each in answers} == {201}
    assert len({each.body["id"] for each in answers}) == 1
    hall.clock.wait(seconds=11)
    await until(lambda: "您好" in hall.phone.heard)
    assert hall.phone.heard.count("您好") == 1


async def test_t24_a_draft_stays_when_somebody_else_takes_the_talk(hall):
    agent, chief = await hall.busy("li"), await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.taken(agent)
    await agent.asks("PUT", f"talks/{row['id']}/draft", {"text": "正在查", "note": "打过电话"})
    await chief.does(row["id"], "take", row["epoch"], over=True)
    opened_again = await agent.get(f"talks/{row['id']}")
    assert opened_again["draft"] == {"text": "正在查", "note": "打过电话"}
    assert (await chief.get(f"talks/{row['id']}"))["draft"] == {"text": "", "note": ""}
    assert [each["draft"] for each in await agent.queue("all")] == [True]


async def test_t25_opening_a_talk_again_and_again_changes_and_tells_nothing(hall):
    agent = await hall.busy("li")
    row = await hall.taken(agent)
    before = (await agent.get("me"))["cursor"]
    for _ in range(5):
        await agent.get(f"talks/{row['id']}")
        await agent.post(f"talks/{row['id']}/viewing", {"typing": True})
    assert (await agent.get("me"))["cursor"] == before
    assert (await agent.get(f"talks/{row['id']}"))["row"]["epoch"] == row["epoch"]


async def test_who_looks_at_a_talk_and_writes_there_is_seen_by_the_others(hall):
    one, two = await hall.busy("li", name="李"), await hall.busy("wang")
    row = await hall.waits(one)
    async with two.follows() as live:
        await live.hears("ready")
        await one.post(f"talks/{row['id']}/viewing", {"typing": True})
        told = await live.hears("presence", lambda data: "viewers" in data)
        assert told.data == {"talk": row["id"], "viewers": [{"id": one.id, "name": "李", "typing": True}]}


async def test_a_whisper_is_for_the_holder_and_supervisors_alone(hall):
    agent, other = await hall.busy("li"), await hall.busy("zhao")
    chief = await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.taken(agent)
    assert (await agent.does(row["id"], "note", row["epoch"], text="x", whisper=True)).status == 403
    async with agent.follows() as his, other.follows() as others:
        await his.hears("ready")
        await others.hears("ready")
        await chief.does(row["id"], "note", row["epoch"], text="请道歉", whisper=True)
        await his.hears("line", lambda data: data["line"]["whisper"])
        await chief.does(row["id"], "note", row["epoch"], text="记一下")
        await others.hears("line", lambda data: data["line"]["parts"][0]["text"] == "记一下")
        assert not any(news.kind == "line" and news.data["line"]["whisper"] for news in others.told)
    seen = {each: (await each.get(f"talks/{row['id']}"))["lines"] for each in (agent, other, chief)}
    assert [any(line["whisper"] for line in lines) for lines in seen.values()] == [True, False, True]


async def test_who_is_called_in_a_note_is_told_at_once_and_until_he_has_seen_it(hall):
    agent, called, other = [await hall.busy(login) for login in ("li", "zhao", "sun")]
    row = await hall.taken(agent)
    async with called.follows() as his, other.follows() as others:
        await his.hears("ready")
        await others.hears("ready")
        note = {"text": "@zhao号 请看一下", "mentions": [called.id, agent.id]}
        assert (await agent.does(row["id"], "note", row["epoch"], **note)).status == 201
        told = (await his.hears("alert")).data["alert"]
        assert (told["kind"], told["by"], told["talk"]) == ("mention", "li号", row["id"])
        await others.hears("line", lambda data: data["line"]["who"] == "note")
        assert [news.kind for news in others.told if news.kind == "alert"] == []
        assert [each["id"] for each in (await called.get("alerts"))["items"]] == [told["id"]]
        assert (await other.asks("POST", f"alerts/{told['id']}/ack", {})).status == 404
        await called.post(f"alerts/{told['id']}/ack")
        await his.hears("alert", lambda data: data["alert"]["acknowledged"])
    for each in (agent, called, other):
        assert (await each.get("alerts"))["items"] == []
    assert [line["who"] for line in (await agent.get(f"talks/{row['id']}"))["lines"]].count("note") == 1


async def test_a_whisper_calls_nobody_who_may_not_read_it(hall):
    agent, other = await hall.busy("li"), await hall.busy("zhao")
    chief = await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.taken(agent)
    note = {"text": "@li号 @zhao号", "whisper": True, "mentions": [agent.id, other.id]}
    await chief.does(row["id"], "note", row["epoch"], **note)
    assert [len((await each.get("alerts"))["items"]) for each in (agent, other)] == [1, 0]


async def test_a_supervisor_moves_a_talk_up_once_and_gives_it_to_somebody_who_is_there(hall):
    agent, chief = await hall.busy("li"), await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.waits(agent)
    assert (await agent.does(row["id"], "boost", row["epoch"])).status == 403
    assert (await chief.does(row["id"], "boost", row["epoch"])).status == 200
    assert (await chief.does(row["id"], "boost", row["epoch"])).kind == "state"
    gone = await hall.phone.gateway.accounts.add("chen", "陈", Role.AGENT)
    absent = (await hall.phone.gateway.accounts.by_login("chen")).id.hex()
    assert gone
    assert (await chief.does(row["id"], "assign", row["epoch"], to_agent=absent)).kind == "away"
    assert (await agent.does(row["id"], "assign", row["epoch"], to_agent=agent.id)).status == 403
    given = (await chief.does(row["id"], "assign", row["epoch"], to_agent=agent.id)).body["row"]
    assert (given["state"], given["agent"]["id"]) == ("agent", agent.id)
    assert (await chief.does(row["id"], "boost", given["epoch"])).kind == "taken"
    said = str((await agent.get(f"talks/{row['id']}"))["lines"])
    assert "wang号请求优先接待" in said
    assert "wang号指派给li号" in said


async def test_who_looked_after_an_alert_is_told_and_stands_in_the_talk(hall):
    agent, chief = await hall.busy("li"), await hall.busy("wang", role=Role.SUPERVISOR)
    async with agent.follows() as his:
        await his.hears("ready")
        await hall.phone.says("煤气泄漏了快来人")
        alert = (await his.hears("alert")).data["alert"]
        await chief.post(f"alerts/{alert['id']}/ack")
        done = await his.hears("alert", lambda data: data["alert"]["acknowledged"])
    assert done.data["alert"]["by"] == "wang号"
    assert "wang号已处理警报" in str((await agent.get(f"talks/{alert['talk']}"))["lines"])


async def test_a_reply_can_be_taken_back_while_it_waits_and_is_gone_from_every_page(hall):
    agent = await hall.busy("li")
    row = await hall.taken(agent)
    written = (await agent.does(row["id"], "reply", row["epoch"], text="写错了", echo="e1")).body
    async with agent.follows() as live:
        await live.hears("ready")
        undone = await agent.does(row["id"], f"lines/{written['id']}/undo", row["epoch"])
        assert undone.status == 204
        await live.hears("line", lambda data: data["line"].get("gone"))
    hall.clock.wait(seconds=11)
    late = await agent.does(row["id"], f"lines/{written['id']}/undo", row["epoch"])
    assert (late.status, late.kind) == (409, "state")
    assert "写错了" not in hall.phone.heard


async def test_a_full_look_at_personal_data_is_noted(hall):
    agent = await hall.busy("li")
    await hall.phone.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
    row = await hall.waits(agent)
    shown = await agent.get(f"talks/{row['id']}")
    assert "13812345678" not in str(shown["order"]) + str(shown["row"]) + shown["phone"]
    assert shown["phone"] == "138****5678"
    assert (await agent.post(f"talks/{row['id']}/reveal"))["phone"] == "13812345678"
    rows = await hall.phone.gateway.books.store.read(lambda c: c.execute(select(ACCESS)).all())
    noted = [(each.actor, each.subject) for each in rows if each.act == "desk.reveal"]
    assert noted == [("agent:li", row["id"])]


async def test_the_telephone_of_a_case_is_known_beside_its_talk_masked_and_in_full_on_record(hall):
    agent = await hall.busy("li")
    row = await hall.waits(agent)
    assert (await agent.get(f"talks/{row['id']}"))["phone"] == ""
    form = {
        "kind": "03",
        "category": "D05",
        "text": "东岳大街门前的井盖丢失三天了，很危险。",
        "place": "泰山区东岳大街88号",
        "phone": "13912345678",
        "secret": False,
    }
    await agent.post("cases", {"talk": row["id"], "form": form, "key": "key-one-1"})
    assert (await agent.get(f"talks/{row['id']}"))["phone"] == "139****5678"
    assert (await agent.post(f"talks/{row['id']}/reveal"))["phone"] == "13912345678"


async def test_what_somebody_says_while_he_waits_is_seen_in_the_list_at_once(hall):
    li = await hall.busy("li")
    async with li.follows() as page:
        row = await hall.waits(li)
        await hall.phone.says("噪音扰民")
        news = await page.hears("talk", lambda data: data["row"]["last"]["text"] == "噪音扰民")
    assert news.data["row"]["id"] == row["id"]


async def _until_his(agent: Agent) -> Any:
    """Wait until the router has given somebody something: nobody asks it to."""
    await until(lambda: agent.queue("mine"))
    return await agent.queue("mine")


@pytest.fixture
async def hall(database, tmp_path):
    async with opened(database, tmp_path) as each:
        yield each
