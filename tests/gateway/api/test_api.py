"""The JSON API: sessions, reading, cases, the talk, and what bad input gets."""

import asyncio
import json

from aiohttp import FormData

from gateway.knowledge import shelf
from normalizer import case_no
from normalizer.case import Stage
from normalizer.geo import Point, metres, to_gcj
from tests.kit.api import WORDS, matter
from tests.kit.cases import STEPS
from tests.kit.media import photo

PHONE = "13812345678"


async def test_a_session_is_given_and_shown(app):
    me = (await app.get("/session")).data
    assert me["phone"] is None
    assert me["until"] == "2026-12-24T10:00:00+08:00"
    assert len(me["csrf"]) == 64


async def test_a_matter_is_opened_listed_shown_and_followed(app):
    made = await app.post("/cases", matter())
    assert made.status == 201
    number = made.data["case_no"]
    assert (made.data["accepted"], made.data["repeat"], made.data["danger"]) == (False, False, None)
    (brief,) = (await app.get("/cases")).data["cases"]
    whole = (await app.get(f"/cases/{number}")).data
    assert brief == {name: whole[name] for name in brief}
    assert (whole["stage"], whole["status"], whole["kind"], whole["category"]) == (
        "submitted",
        "已提交",
        "02",
        "D05",
    )
    assert (whole["content"], whole["place"]) == (WORDS, "泰山区东岳大街88号")
    assert whole["may"] == {"supplement": True, "urge": True, "withdraw": True, "rate": False}
    assert whole["created_at"] == "2026-11-24T10:00:00+08:00"
    (line,) = (await app.get(f"/cases/{number}/timeline")).data["lines"]
    assert line == {"at": "2026-11-24T10:00:00+08:00", "verb": "submit", "label": "已提交", "note": None}


async def test_a_case_is_its_citizens_alone(app):
    number = await app.reports()
    stranger = await app.another()
    assert (await stranger.get("/cases")).data == {"cases": []}
    for method, path in (("GET", ""), ("GET", "/timeline"), ("POST", "/withdrawal")):
        assert (await stranger.ask(method, f"/cases/{number}{path}")).wrong == "not-found"


async def test_number_and_code_show_a_stranger_the_least(app):
    made = (await app.post("/cases", matter())).data
    stranger = await app.another()
    asked = {"case_no": made["case_no"], "query_code": made["query_code"]}
    found = (await stranger.post("/lookups", asked)).data
    assert found == {"case_no": made["case_no"], "status": "已提交", "unit": None, "deadline_at": None}
    wrong = {**asked, "query_code": f"{(int(made['query_code']) + 1) % 1_000_000:06}"}
    none = {**asked, "case_no": "37092611240009999"}
    assert (await stranger.post("/lookups", wrong)).data == (await stranger.post("/lookups", none)).data
    for _ in range(3):
        assert (await stranger.post("/lookups", wrong)).status == 404
    locked = await stranger.post("/lookups", asked)
    assert (locked.status, locked.wrong, locked.headers["Retry-After"]) == (429, "locked", "3600")


async def test_the_same_request_opens_one_case(app):
    replies = await asyncio.gather(*(app.post("/cases", matter()) for _ in range(5)))
    assert len({reply.data["case_no"] for reply in replies}) == 1
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 200, 201]
    app.clock.wait(minutes=11)
    assert (await app.post("/cases", matter())).status == 201


async def test_an_idempotency_key_is_for_one_matter(app):
    mark = {"Idempotency-Key": "a-key-of-the-app"}
    first = await app.post("/cases", matter(), headers=mark)
    app.clock.wait(hours=20)
    again = await app.post("/cases", matter(), headers=mark)
    assert (again.status, again.data["case_no"]) == (200, first.data["case_no"])
    other = await app.post("/cases", matter(text="东岳大街的路灯已经三天不亮了"), headers=mark)
    assert (other.status, other.wrong) == (409, "key-used")
    stranger = await app.another()
    assert (await stranger.post("/cases", matter(), headers=mark)).status == 201


async def test_words_are_read_into_a_draft(app):
    text = f"我是李四，电话{PHONE}，昨天晚上泰山区东岳大街88号门前井盖丢失，希望尽快补上"
    draft = (await app.post("/read", {"text": text})).data
    assert (draft["kind"], draft["category"], draft["sure"]) == ("02", "D05", True)
    assert (draft["name"], draft["phone"], draft["missing"]) == ("李四", PHONE, [])
    assert "东岳大街88号" in draft["place"]
    assert "尽快补上" in draft["demand"]
    less = (await app.post("/read", {"text": "井盖丢了"})).data
    assert less["missing"] == ["text", "place", "phone"]
    assert (less["phone"], less["danger"]) == (None, None)


async def test_danger_is_warned_of_and_alarmed_once(app):
    text = "东岳大街88号三楼着火了，楼上还有人被困"
    for _ in range(3):
        danger = (await app.post("/read", {"text": text})).data["danger"]
    assert (danger["kind"], danger["number"]) == ("fire", "119")
    assert danger["words"].startswith("您说的情况可能危及人身安全")
    assert await count(app, "alert") == 1
    assert (await app.post("/cases", matter(text=text))).data["danger"] == danger


async def test_what_may_be_chosen(app):
    chosen = (await app.get("/categories")).data
    assert [field["code"] for field in chosen["fields"]] == list("ABCDE")
    roads = chosen["fields"][3]["categories"][4]
    assert roads == {"code": "D05", "name": "道路与排水", "placed": True}
    assert {"code": "03", "name": "投诉"} in chosen["kinds"]


async def test_a_case_is_supplemented_urged_and_withdrawn(app):
    number = await app.reports()
    assert (await app.post(f"/cases/{number}/supplements", {"text": "洞口有半米宽"})).status == 200
    assert (await app.post(f"/cases/{number}/urges", {})).status == 200
    early = await app.post(f"/cases/{number}/urges", {"text": "快一点"})
    assert (early.status, early.wrong) == (409, "urged-lately")
    assert (await app.post(f"/cases/{number}/withdrawal")).data["stage"] == "withdrawn"
    assert (await app.post(f"/cases/{number}/withdrawal")).wrong == "not-now"
    lines = (await app.get(f"/cases/{number}/timeline")).data["lines"]
    assert [(line["verb"], line["note"]) for line in lines] == [
        ("submit", None),
        ("supplement", "洞口有半米宽"),
        ("urge", None),
        ("withdraw", None),
    ]


async def test_an_answered_case_is_rated_once(app):
    number = await app.reports()
    for command in STEPS[Stage.VISITED]:
        await app.gateway.office.act(number, command)
    whole = (await app.get(f"/cases/{number}")).data
    assert (whole["answer"], whole["may"]["rate"], whole["score"]) == ("已处理完毕。", True, None)
    rated = await app.post(f"/cases/{number}/ratings", {"score": 2, "reasons": [2], "text": "没修好"})
    assert (rated.data["score"], rated.data["stage"]) == (2, "rework")
    assert (await app.post(f"/cases/{number}/ratings", {"score": 5})).status == 409


async def test_a_secret_case_tells_a_stranger_no_unit(app):
    made = (await app.post("/cases", matter(secret=True))).data
    number = made["case_no"]
    for command in STEPS[Stage.PROCESSING]:
        await app.gateway.office.act(number, command)
    asked = {"case_no": number, "query_code": made["query_code"]}
    assert (await app.post("/lookups", asked)).data["unit"] is None


async def test_degrees_of_satellites_are_turned_into_those_of_maps(app):
    await app.reports(lon=117.087654, lat=36.194321, datum="wgs84")
    (case,) = await own(app)
    there = to_gcj(Point(117.087654, 36.194321))
    assert metres(Point(case.matter.lon, case.matter.lat), there) < 0.1


async def test_a_proved_telephone_gives_a_new_session_with_its_cases(app):
    number = await app.reports(phone=PHONE)
    other = await app.another()
    assert (await other.post("/session/phone", {"phone": PHONE})).status == 202
    assert (await other.post("/session/phone/code", {"code": "000000"})).pointers == ["/code"]
    token = (await other.post("/session/phone/code", {"code": await sent_code(app)})).data["token"]
    proved = type(app)(app.http, app.base, app.gateway, app.clock, token)
    assert (await proved.get("/session")).data["phone"] == "138****5678"
    assert (await proved.get("/cases")).data == {"cases": []}
    assert (await app.post("/session/phone", {"phone": PHONE})).status == 202
    code = await sent_code(app)
    mine = (await app.post("/session/phone/code", {"code": code})).data["token"]
    owner = type(app)(app.http, app.base, app.gateway, app.clock, mine)
    for each in (owner, proved):
        assert [case["case_no"] for case in (await each.get("/cases")).data["cases"]] == [number]


async def test_a_proved_telephone_need_not_be_given_again(app):
    assert (await app.post("/cases", matter(phone=""))).pointers == ["/phone"]
    assert (await app.post("/session/phone", {"phone": PHONE})).status == 202
    token = (await app.post("/session/phone/code", {"code": await sent_code(app)})).data["token"]
    proved = type(app)(app.http, app.base, app.gateway, app.clock, token)
    given = {"": PHONE, "13900000000": "13900000000"}
    for phone, kept in given.items():
        number = await proved.reports(phone=phone)
        case = await app.gateway.lookup.case(number)
        assert case.complainant.phone == kept
    number = await proved.reports(phone="", anonymous=True)
    assert (await app.gateway.lookup.case(number)).complainant.phone == ""


async def test_a_page_and_an_app_are_proved_alike_and_share_the_count_of_codes(app):
    jar = {"Cookie": f"jiesu={app.token}"}
    csrf = (await app.get("/session")).data["csrf"]

    async def post(path, **fields):
        url = f"{app.base}{path}"
        async with app.http.post(
            url, data={"csrf": csrf} | fields, headers=jar, allow_redirects=False
        ) as page:
            return page.status, page.headers.get("Location", ""), page.headers.get("Set-Cookie", "")

    assert (await app.post("/session/phone", {"phone": PHONE})).status == 202
    for _ in range(4):
        assert (await post("/login", phone=PHONE))[:2] == (303, "/login/code")
    assert (await post("/login", phone=PHONE))[0] == 422
    assert (await app.post("/session/phone", {"phone": PHONE})).wrong == "too-many-codes"
    assert (await post("/login/code", code="000000"))[0] == 422
    status, onward, cookie = await post("/login/code", code=await sent_code(app))
    assert (status, onward) == (303, "/cases")
    proved = cookie.partition("jiesu=")[2].partition(";")[0]
    me = await app.get("/session", headers={"Authorization": f"Bearer {proved}"})
    assert me.data["phone"] == "138****5678"


async def test_codes_are_few_short_lived_and_locked_after_five_wrong_ones(app):
    assert (await app.post("/session/phone/code", {"code": "123456"})).wrong == "no-code"
    for _ in range(5):
        assert (await app.post("/session/phone", {"phone": PHONE})).status == 202
    assert (await app.post("/session/phone", {"phone": PHONE})).wrong == "too-many-codes"
    code = await sent_code(app)
    app.clock.wait(minutes=6)
    assert (await app.post("/session/phone/code", {"code": code})).pointers == ["/code"]
    for _ in range(4):
        await app.post("/session/phone/code", {"code": code})
    locked = await app.post("/session/phone/code", {"code": code})
    assert (locked.status, locked.wrong) == (429, "locked")


async def test_the_talk_is_read_from_a_cursor_and_a_message_sent_twice_is_one(app):
    for _ in range(2):
        assert (await app.post("/messages", {"text": "你好", "id": "m1"})).status == 202
    first = (await app.get("/messages")).data
    assert [each["mine"] for each in first["messages"]] == [True, False]
    assert (await app.get("/messages", params={"after": first["cursor"]})).data == {
        "messages": [],
        "cursor": first["cursor"],
    }
    await app.post("/messages", {"text": "人工", "id": "m2"})
    later = (await app.get("/messages", params={"after": first["cursor"]})).data["messages"]
    assert (later[0]["text"], later[0]["mine"]) == ("人工", True)
    assert (await (await app.another()).get("/messages")).data["messages"] == []


async def test_a_photo_is_uploaded_and_goes_with_its_case_and_a_supplement(app):
    granted = (await app.post("/uploads")).data
    first = await uploaded(app, granted, "a.jpg", (64, 48))
    second = await uploaded(app, granted, "b.jpg", (48, 64))
    assert [each["key"] for each in (await app.get("/uploads")).data["files"]] == [first, second]
    made = await app.post("/cases", matter(files=[first]))
    number = made.data["case_no"]
    again = await app.post("/cases", matter(files=[first]))
    assert (again.status, again.data["case_no"]) == (200, number)
    supplement = {"text": "再补一张照片", "files": [second]}
    whole = (await app.post(f"/cases/{number}/supplements", supplement)).data
    assert [(each["key"], each["name"], each["kind"]) for each in whole["files"]] == [
        (first, "a.jpg", "image"),
        (second, "b.jpg", "image"),
    ]
    assert [each.key for each in await app.gateway.media.uploads.of(number)] == [first, second]
    async with app.http.get(f"{app.base}{whole['files'][0]['preview']}") as preview:
        assert (preview.status, preview.content_type) == (200, "image/jpeg")
    assert (await app.get("/uploads")).data == {"files": []}


async def test_a_file_of_somebody_else_or_of_nobody_goes_with_no_case(app):
    key = await uploaded(app, (await app.post("/uploads")).data, "a.jpg", (64, 48))
    stranger = await app.another()
    for files in ([key], ["nothing"]):
        refused = await stranger.post("/cases", matter(files=files))
        assert (refused.status, refused.pointers) == (422, ["/files"])
    assert (await stranger.get("/cases")).data == {"cases": []}


async def test_the_knowledge_base_is_searched_and_read_without_a_session(app):
    await shelf.starter(app.gateway.books.store, app.clock())
    await app.gateway.knowledge.refresh()
    nobody = type(app)(app.http, app.base, app.gateway, app.clock)
    (first, *_) = (await nobody.get("/knowledge", params={"q": "公积金怎么提取"})).data["entries"]
    assert "公积金" in first["title"]
    whole = (await nobody.get(f"/knowledge/{first['id']}")).data
    assert whole["answer"] == first["answer"]
    listed = (await nobody.get("/knowledge", params={"category": "D11"})).data["entries"]
    assert listed
    assert {each["category"] for each in listed} == {"D11"}
    assert (await nobody.get("/knowledge/none")).wrong == "not-found"
    assert (await nobody.get("/knowledge", params={"category": "Z"})).pointers == ["/category"]


async def test_a_cookie_proves_the_session_but_moves_nothing_without_the_token_of_a_form(app):
    jar = {"Cookie": f"jiesu={app.token}", "Authorization": ""}
    me = await app.get("/session", headers=jar)
    assert me.status == 200
    assert (await app.post("/cases", matter(), headers=jar)).wrong == "csrf"
    assert (await app.post("/cases", matter(), headers=jar | {"X-CSRF-Token": me.data["csrf"]})).status == 201


async def test_a_forgotten_session_remembers_no_telephone(app):
    await app.post("/session/phone", {"phone": PHONE})
    assert (await app.ask("DELETE", "/session")).status == 204
    assert (await app.post("/session/phone/code", {"code": await sent_code(app)})).wrong == "no-session"


BAD = [
    ("no JSON", "/cases", b"{", 400, "not-json", None),
    ("not UTF-8", "/cases", b'{"text": "\xff"}', 400, "not-json", None),
    ("half a character", "/cases", b'{"text": "\\ud800"}', 400, "not-json", None),
    ("too large", "/cases", b" " * 70_000, 413, "too-large", None),
    ("nothing", "/cases", b"{}", 422, "invalid", ["/text"]),
    ("an unknown field", "/read", {"text": "x", "words": 1}, 422, "invalid", ["/words"]),
    ("a number for words", "/read", {"text": 5}, 422, "invalid", ["/text"]),
    ("too few characters", "/cases", matter(text="pothole in the street", place="东岳大街"), 422, "invalid", ["/text"]),
    ("no such category", "/cases", matter(category="A99"), 422, "invalid", ["/category"]),
    ("no place", "/cases", matter(text="我家门口的地上有一个大洞"), 422, "invalid", ["/place"]),
    ("half a place", "/cases", matter(lon=117.1), 422, "invalid", ["/lat"]),
    ("nobody to reach", "/cases", matter(phone="", name=""), 422, "invalid", ["/phone"]),
    ("three at once", "/cases", matter(phone="1", email="x", uscc="1"), 422, "invalid", ["/phone", "/email", "/uscc"]),
    ("a telephone that is none", "/session/phone", {"phone": "12345"}, 422, "invalid", ["/phone"]),
    ("a rating that is none", "/cases/37092611240001233/ratings", {"score": 6}, 422, "invalid", ["/score"]),
    ("no case", "/cases/37092611240001233/urges", {}, 404, "not-found", None),
    ("a mark that is none", "/messages", {"text": "x", "id": "a b"}, 422, "invalid", ["/id"]),
    ("no such address", "/nothing", {}, 404, "not-found", None),
]  # fmt: skip


async def test_bad_input_is_a_problem_that_says_where(app):
    for label, path, body, status, wrong, pointers in BAD:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = await app.ask("POST", path, data=raw, headers={"Content-Type": "application/json"})
        assert (reply.status, reply.wrong) == (status, wrong), label
        assert pointers is None or reply.pointers == pointers, label


async def test_what_is_not_meant_is_a_problem_too(app):
    put = await app.ask("PUT", "/cases")
    assert (put.status, put.wrong, put.headers["Allow"]) == (405, "method", "POST, GET")
    form = await app.ask("POST", "/read", data={"text": "x"})
    assert (form.status, form.wrong) == (415, "not-json")
    nobody = type(app)(app.http, app.base, app.gateway, app.clock)
    refused = await nobody.get("/cases")
    assert (refused.status, refused.wrong, refused.headers["WWW-Authenticate"]) == (
        401,
        "no-session",
        "Bearer",
    )
    forged = await app.get("/cases", headers={"Authorization": f"Bearer {app.token[:-1]}x"})
    assert forged.status == 401
    app.clock.wait(days=31)
    assert (await app.get("/cases")).status == 401
    query = await (await nobody.another()).get("/messages", params={"after": "xyz"})
    assert (query.status, query.pointers) == (422, ["/after"])


async def uploaded(app, granted, name, size):
    form = FormData()
    form.add_field("grant", granted["grant"])
    form.add_field("file", photo(size=size), filename=name, content_type="image/jpeg")
    app.clock.wait(seconds=1)
    async with app.http.post(f"{app.base}{granted['form']}", data=form) as answer:
        return (await answer.json())["files"][0]["key"]


async def own(app):
    session = app.gateway.books.sealer.conversation("web", app.token.split(".")[0])
    return await app.gateway.lookup.own(session)


async def sent_code(app):
    """Return the newest code that was promised by SMS."""
    body = await app.gateway.books.store.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT body FROM outgoing WHERE notice = 'otp' ORDER BY id DESC LIMIT 1"
        ).scalar()
    )
    return app.gateway.books.sealer.open(bytes(body)).decode().split("验证码")[1][:6]


async def count(app, table):
    return await app.gateway.books.store.read(
        lambda connection: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
    )


async def test_a_day_s_reports_and_the_numbers_named_in_talk_have_an_end_for_apps_too(app):
    told = [await app.post("/cases", matter(text=f"泰山区东岳大街{n}号门前井盖丢失")) for n in range(21)]
    assert [each.status for each in told] == [201] * 20 + [429]
    assert told[-1].wrong == "too-many-reports"
    day = app.gateway.cities.current.effective_from
    named = []
    for n in range(1, 32):
        talker = await app.another()
        words = {"id": "a", "text": f"查 {case_no.make('370900', day, n)} 135790"}
        named.append(await talker.post("/messages", words))
    assert [each.status for each in named] == [202] * 30 + [429]
