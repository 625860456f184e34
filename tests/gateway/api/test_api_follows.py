"""Following by the API, one's own data, words of danger, and the end of a session."""

import asyncio

from sqlalchemy import func, select

from gateway.store.tables import ALERT
from tests.kit.api import WORDS

PHONE = "13812345678"
ALIKE = {"text": "东岳大街88号门前地上有个大洞，晚上看不见", "category": "D05"}


async def test_another_s_matter_is_offered_followed_and_left(app):
    await app.reports(text=f"我是王小明，{WORDS}", name="王小明")
    other = await app.another()
    found = (await other.post("/likes", ALIKE)).data
    assert found["mine"] is None
    (like,) = found["others"]
    assert (like["category"], like["street"], like["status"], like["day"]) == (
        "道路与排水",
        "东岳大街",
        "已提交",
        "2026-11-24",
    )
    assert "王" not in str(found)
    assert (await other.post("/follows", ALIKE | {"like": like["like"]})).status == 204
    (followed,) = (await other.get("/follows")).data["followed"]
    assert followed["like"] == like["like"]
    assert (await other.ask("DELETE", f"/follows/{like['like']}")).status == 204
    assert (await other.ask("DELETE", f"/follows/{like['like']}")).wrong == "not-found"
    assert (await other.get("/follows")).data == {"followed": []}


async def test_one_s_own_matter_is_named_and_what_is_not_offered_is_not_followed(app):
    number = await app.reports()
    assert (await app.post("/likes", ALIKE)).data == {"mine": number, "others": []}
    third = await app.another()
    assert (await third.post("/follows", ALIKE | {"like": "0" * 32})).wrong == "not-offered"


async def test_one_s_data_are_shown_masked_corrected_and_taken_away(app):
    assert (await app.post("/me/corrections", {"name": "李五"})).wrong == "nothing-open"
    number = await app.reports()
    me = (await app.get("/me")).data
    assert (me["cases"], me["open"], me["names"], me["phones"]) == (1, True, ["李*"], ["138****5678"])
    assert (await app.post("/me/corrections", {"name": "李五", "phone": "0538-1234567"})).data == {
        "settled": True
    }
    assert (await app.post("/me/corrections", {"phone": "12"})).pointers == ["/phone"]
    assert (await app.post("/me/corrections", {})).pointers == ["/name"]
    lines = (await app.get(f"/cases/{number}/timeline")).data["lines"]
    assert "称呼改为李五" in lines[-1]["note"]
    assert (await app.post("/me/deletion", {"text": "都删掉"})).status == 202
    assert [wish["kind"] for wish in (await app.get("/me")).data["wishes"]] == ["删除信息"]
    data = (await app.get("/me/data")).data
    assert [case["case_no"] for case in data["cases"]] == [number]
    assert PHONE not in str(data)


async def test_wishes_have_a_limit(app):
    replies = [await app.post("/me/deletion", {}) for _ in range(11)]
    assert [reply.status for reply in replies] == [202] * 10 + [429]
    assert (await app.get("/me/data")).wrong == "too-many-wishes"


async def test_the_same_words_are_added_once(app):
    number = await app.reports()
    added = {"text": "今天又有人摔倒"}
    replies = [await app.post(f"/cases/{number}/supplements", added) for _ in range(3)]
    assert {reply.status for reply in replies} == {200}
    lines = (await app.get(f"/cases/{number}/timeline")).data["lines"]
    assert [line["verb"] for line in lines] == ["submit", "supplement"]


async def test_danger_in_a_supplement_is_told_and_answered(app, gateway):
    number = await app.reports()
    reply = await app.post(f"/cases/{number}/supplements", {"text": "楼里着火了，快来人"})
    assert reply.data["danger"]["number"] == "119"
    alerts = await gateway.books.store.read(
        lambda c: c.execute(select(func.count()).select_from(ALERT)).scalar()
    )
    assert alerts == 1


async def test_a_session_that_was_ended_opens_nothing(app):
    number = await app.reports()
    assert (await app.ask("DELETE", "/session")).status == 204
    for method, path in (("GET", "/session"), ("GET", f"/cases/{number}"), ("POST", "/messages")):
        assert (await app.ask(method, path)).wrong == "no-session"
    replies = await asyncio.gather(*(app.get("/cases") for _ in range(5)))
    assert {reply.status for reply in replies} == {401}
