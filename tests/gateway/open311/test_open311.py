"""Open311 GeoReport v2 as its text has it: what is listed, posted, followed and shown."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.app import listening, running
from gateway.store import cases
from gateway.store.tables import OUTGOING
from normalizer.case import Actor, Command, Role, Stage, Verb
from normalizer.codes import CATEGORY_LABELS
from normalizer.geo import Point, metres, to_gcj
from tests.gateway.open311.conftest import FREE, RULES
from tests.kit.cases import AGENT, CITIZEN
from tests.kit.gateway import settings
from tests.kit.open311 import CITY, OTHER, WORDS, as_text, report
from tests.kit.open311 import UNIT as UNIT_KEY

FORMATS = ("xml", "json")
PHONE = "13812345678"


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("discovery", "discovery"),
        ("services", "services"),
        ("services/D05", "service_definition"),
        ("requests", "service_requests"),
        ("requests/{number}", "service_requests"),
        ("tokens/{number}", "service_requests"),
        ("servicerequestupdates", "service_request_updates"),
        ("requests/37092611240009999", "errors"),
    ],
)
async def test_xml_and_json_say_the_same(client, path, root):
    number = await client.reports(description=f"{WORDS}\r\n第二行 <b>&\x0b")
    path = path.format(number=number)
    xml, plain = await client.get(f"{path}.xml"), await client.get(f"{path}.json")
    assert (xml.kind, plain.kind) == ("text/xml; charset=utf-8", "application/json; charset=utf-8")
    assert xml.status == plain.status
    assert xml.data == as_text(plain.data)
    assert xml.raw.split(b"\n", 1)[1].startswith(f"<{root}>".encode())
    assert b"xmlns" not in xml.raw


async def test_the_services_are_the_category_tree_in_its_fields(client):
    listed = (await client.get("services.json")).data
    assert [each["service_code"] for each in listed] == list(CATEGORY_LABELS)
    (roads,) = [each for each in listed if each["service_code"] == "D05"]
    assert roads == {
        "service_code": "D05",
        "service_name": "道路与排水",
        "description": "公共服务：道路与排水",
        "metadata": True,
        "type": "realtime",
        "keywords": "公共服务,道路与排水",
        "group": "公共服务",
    }


async def test_a_definition_asks_for_the_slots_that_the_protocol_has_no_field_for(client):
    asked = (await client.get("services/D05.json")).data
    assert asked["service_code"] == "D05"
    assert [each["code"] for each in asked["attributes"]] == [
        "KIND",
        "WHEN",
        "DEMAND",
        "SECRET",
        "PLACE_DETAIL",
    ]
    assert [each["order"] for each in asked["attributes"]] == [1, 2, 3, 4, 5]
    kind = asked["attributes"][0]
    assert (kind["datatype"], kind["values"][2]) == ("singlevaluelist", {"key": "03", "name": "投诉"})
    insurance = (await client.get("services/D09.json")).data
    assert "PLACE_DETAIL" not in [each["code"] for each in insurance["attributes"]]


async def test_discovery_names_the_endpoint_in_both_formats(client):
    found = (await client.get("discovery.json")).data
    (endpoint,) = found["endpoints"]
    assert endpoint["url"] == "https://12345.example.cn/open311/v2"
    assert (endpoint["specification"], endpoint["type"]) == ("http://wiki.open311.org/GeoReport_v2", "test")
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert found["contact"] == "open311@example.cn"


@pytest.mark.parametrize("fmt", FORMATS)
async def test_a_post_opens_a_case_and_gives_its_number_and_query_code(client, fmt):
    reply = await client.post(f"requests.{fmt}", **report())
    assert reply.status == 200
    (made,) = reply.data
    case = await the_case(client, made["service_request_id"])
    assert (case.stage, case.source_channel, case.matter.category) == (Stage.SUBMITTED, "07", "D05")
    assert case.matter.original == WORDS
    assert made["account_id"] == "u1"
    code = made["service_notice"].split("查询码")[1][:6]
    assert (await client.gateway.lookup.found(case.case_no, code, "x")).case == case


async def test_what_the_words_say_themselves_is_accepted_at_once_where_the_city_lets_it(client):
    number = await client.reports(description="东岳大街88号门前的井盖丢失了，晚上很危险")
    assert (await the_case(client, number)).stage is Stage.ACCEPTED


async def test_a_place_comes_in_wgs_and_is_kept_in_gcj(client):
    case = await the_case(client, await client.reports())
    there = to_gcj(Point(117.087654, 36.194321))
    assert metres(Point(case.matter.lon, case.matter.lat), there) < 0.1


async def test_the_slots_and_the_person_are_kept(client):
    attributes = {
        "attribute[KIND]": "03",
        "attribute[WHEN]": "昨天晚上",
        "attribute[DEMAND]": "尽快补上井盖",
        "attribute[PLACE_DETAIL]": "公交站牌旁边",
    }
    person = {"first_name": "三", "last_name": "张", "phone": PHONE, "email": "a@example.cn"}
    case = await the_case(
        client, await client.reports(**attributes, **person, media_url="https://192.0.2.1/a.jpg")
    )
    matter, citizen = case.matter, case.complainant
    assert (matter.kind, matter.occurred, matter.demand) == ("03", "昨天晚上", "尽快补上井盖")
    assert (matter.place_detail, matter.place_text) == ("公交站牌旁边", "东岳大街88号 公交站牌旁边")
    assert (citizen.name, citizen.phone, citizen.email, citizen.anonymous) == (
        "张三",
        PHONE,
        "a@example.cn",
        False,
    )
    assert [each.url for each in matter.attachments] == ["https://192.0.2.1/a.jpg"]


async def test_who_leaves_no_contact_is_anonymous_and_still_shown(client):
    number = await client.reports()
    assert (await the_case(client, number)).complainant.anonymous
    assert (await client.get(f"requests/{number}.json")).status == 200


async def test_a_partners_cases_are_counted_under_its_own_source(client):
    assert (await the_case(client, await client.reports(api_key=OTHER))).source_channel == "08"


async def test_danger_is_warned_of_before_all_else(client):
    reply = await client.post(**report(description="东岳大街88号三楼着火了，楼上还有人被困"))
    assert reply.data[0]["service_notice"].startswith("您说的情况可能危及人身安全，请立即拨打 110")
    alerts = await client.gateway.books.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM alert").scalar()
    )
    assert alerts == 1


async def test_ten_posts_of_one_body_at_once_open_one_case(client):
    numbers = await asyncio.gather(*(client.reports() for _ in range(10)))
    assert len(set(numbers)) == 1


async def test_t33_a_case_that_comes_many_times_to_two_processes_is_told_of_once(
    client, database, tmp_path, clock
):
    words = {"description": "我家着火了，东岳大街88号，快来人", "email": "zs@example.cn"}
    given = settings(database, tmp_path, open311=RULES, portal=FREE, public_url="https://12345.example.cn/")
    async with (
        running(given, clock=clock) as second,
        listening(second.app, "127.0.0.1", 0) as port,
    ):
        other = replace(client, base=f"http://127.0.0.1:{port}", gateway=second)
        numbers = await asyncio.gather(*(each.reports(**words) for each in (client, other) * 4))
    assert len(set(numbers)) == 1
    (number,) = set(numbers)
    assert await client.reports(**words) == number
    first = await _notices(client, number)
    assert sorted(first) == sorted(set(first))
    assert [event.kind for event in await client.gateway.desk.events(0)].count("alert") == 1
    # And of each move once, however often it is asked for.
    moves = [moved(client, number, Command(Verb.ACCEPT, AGENT)) for _ in range(4)]
    done = await asyncio.gather(*moves, return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in done) <= 1
    after = await _notices(client, number)
    assert after.count("accepted") == 1
    assert sorted(after) == sorted(set(after))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"account_id": "u2"}, False),
        ({"account_id": None, "device_id": "d2"}, False),
        ({"description": f"{WORDS}。"}, False),
        ({"api_key": OTHER}, False),
    ],
    ids=["a retry", "another person", "another device", "other words", "another partner"],
)
async def test_a_retry_is_one_case_and_another_persons_equal_words_are_another(client, change, same):
    first = await client.reports()
    client.clock.wait(minutes=9)
    assert (await client.reports(**change) == first) is same


async def test_the_same_words_a_quarter_of_an_hour_later_are_a_new_case(client):
    first = await client.reports()
    client.clock.wait(minutes=11)
    second = await client.reports()
    assert second != first
    client.clock.wait(minutes=5)
    assert await client.reports() == second


async def test_an_idempotency_key_is_known_for_a_day_and_for_one_matter_only(client):
    mark = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first = await client.reports(headers=mark)
    client.clock.wait(hours=23)
    assert await client.reports(headers=mark) == first
    other = await client.post(headers=mark, **report(description="另一件事情：路灯连续三天不亮了"))
    assert (other.status, other.faults) == (400, [409])
    assert await client.reports(headers={"Idempotency-Key": "another"}) != first


async def test_a_request_shows_the_case_and_nobody_in_it(client):
    words = f"我叫张三，电话{PHONE}，住东岳大街88号3单元402室，门前有个大洞"
    number = await client.reports(
        description=words, phone=PHONE, first_name="三", last_name="张", email="zs@example.cn"
    )
    reply = await client.get(f"requests/{number}.json")
    (shown,) = reply.data
    assert list(shown) == [
        *("service_request_id", "status", "status_notes", "service_name", "service_code", "description"),
        *(
            "agency_responsible",
            "service_notice",
            "requested_datetime",
            "updated_datetime",
            "expected_datetime",
        ),
        *("address", "address_id", "zipcode", "lat", "long", "media_url"),
    ]
    told = reply.raw.decode()
    for personal in (PHONE, "张三", "402", "zs@example.cn", "u1"):
        assert personal not in told
    assert "门前有个大洞" in shown["description"]
    assert (shown["lat"], shown["long"]) == (36.194, 117.088)
    assert shown["requested_datetime"] == "2026-11-24T10:00:00+08:00"
    assert (shown["status"], shown["status_notes"], shown["service_code"]) == ("open", "已提交", "D05")


async def test_a_case_is_followed_to_its_end(client):
    number = await client.reports()
    client.clock.wait(hours=1)
    await moved(client, number, Command(Verb.ACCEPT, AGENT))
    await moved(client, number, dispatched())
    (shown,) = (await client.get(f"requests/{number}.json")).data
    assert (shown["status"], shown["agency_responsible"]) == ("open", "市住房和城乡建设局")
    assert shown["updated_datetime"] == "2026-11-24T11:00:00+08:00"
    assert shown["expected_datetime"] == "2026-12-01T17:30:00+08:00"
    await moved(client, number, Command(Verb.SIGN, unit()))
    client.clock.wait(hours=1)
    await moved(client, number, Command(Verb.REPLY, unit(), text=f"已补装，联系人{PHONE}。", code="已解决"))
    (shown,) = (await client.get(f"requests/{number}.json")).data
    assert (shown["status"], shown["status_notes"]) == ("open", "已答复")
    client.clock.wait(hours=1)
    await moved(client, number, Command(Verb.FINISH, AGENT))
    client.clock.wait(hours=1)
    await moved(client, number, Command(Verb.VISIT, AGENT))
    (shown,) = (await client.get(f"requests/{number}.json")).data
    assert (shown["status"], shown["status_notes"]) == ("closed", "已办结：已补装，联系人138****5678。")
    assert (shown["updated_datetime"], shown["expected_datetime"]) == ("2026-11-24T13:00:00+08:00", None)


@pytest.mark.parametrize(
    ("label", "change", "command"),
    [
        ("a report", {"attribute[KIND]": "04"}, None),
        ("asked to be kept secret", {"attribute[SECRET]": "1"}, None),
        ("made secret later", {}, Command(Verb.SUPPLEMENT, CITIZEN, text="请保密", flag=True)),
        (
            "refused for somebody's privacy",
            {},
            Command(Verb.REJECT, AGENT, code="R07", reason="涉及他人隐私"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_confidential_is_as_if_it_were_not(client, label, change, command):
    number = await client.reports(**change)
    if command is not None:
        await moved(client, number, command)
    for path in (f"requests/{number}", f"tokens/{number}"):
        assert (await client.get(f"{path}.json")).faults == [404]
    assert (await client.get("requests.json")).data == []
    assert (await client.get("requests.json", service_request_id=number)).data == []
    assert (await client.get("servicerequestupdates.json")).data == []


@pytest.mark.parametrize(
    ("public", "shown"), [("none", []), ("own", ["open311"]), ("all", ["open311", "bot"])]
)
async def test_the_city_says_what_is_public(client, person, monkeypatch, public, shown):
    numbers = {"open311": await client.reports(), "bot": await person.reports()}
    profiles = client.gateway.cities
    rules = profiles.current.open311.model_copy(update={"public": public})
    monkeypatch.setattr(profiles, "current", profiles.current.model_copy(update={"open311": rules}))
    listed = {each["service_request_id"] for each in (await client.get("requests.json")).data}
    assert listed == {numbers[name] for name in shown}
    told = {each["service_request_id"] for each in (await client.get("servicerequestupdates.json")).data}
    assert told == listed
    for name, number in numbers.items():
        assert (await client.get(f"requests/{number}.xml")).status == (200 if name in shown else 404)


async def test_a_list_is_narrowed_by_code_status_time_and_place(client):
    old = await client.reports()
    await moved(client, old, Command(Verb.REJECT, AGENT, code="R09", reason="请找物业"))
    client.clock.wait(days=2)
    far = await client.reports(lat="36.3", long="117.2", account_id="u2")
    lamp = await client.reports(service_code="D02", description="小区里停电已经三个小时了，请尽快来电")

    async def listed(**query):
        return [each["service_request_id"] for each in (await client.get("requests.json", **query)).data]

    assert await listed() == [lamp, far, old]
    assert await listed(service_code="D05") == [far, old]
    assert await listed(service_code="D05,D02", status="open") == [lamp, far]
    assert await listed(status="closed") == [old]
    assert await listed(start_date="2026-11-25T00:00:00Z") == [lamp, far]
    assert await listed(end_date="2026-11-25T08:00:00+08:00") == [old]
    assert await listed(lat="36.194", long="117.088", radius="300") == [lamp, old]
    assert await listed(lat="36.3", long="117.2") == [far]
    assert await listed(page_size=2) == [lamp, far]
    assert await listed(page_size=2, page=2) == [old]
    assert await listed(service_request_id=f"{old},{far},37092611240009999", status="open") == [far, old]
    client.clock.wait(days=89)
    assert await listed() == [lamp, far]
    assert await listed(start_date="2026-11-24T00:00:00Z") == [lamp, far, old]


async def test_extensions_add_codes_and_moves_without_words(client):
    number = await client.reports()
    await moved(client, number, Command(Verb.ACCEPT, AGENT, reason="内部说明"))
    xml, plain = [await client.get(f"requests.{fmt}", extensions="true") for fmt in FORMATS]
    assert xml.data == as_text(plain.data)
    (shown,) = plain.data
    assert shown["extended_attributes"] == {
        "stage": "accepted",
        "kind": "02",
        "kind_name": "求助",
        "field": "D",
    }
    assert [note["description"] for note in shown["notes"]] == ["已提交", "已受理"]
    assert "内部说明" not in plain.raw.decode()


async def test_updates_tell_the_moves_of_public_cases_in_order(client):
    number = await client.reports()
    client.clock.wait(hours=1)
    await moved(client, number, Command(Verb.ACCEPT, AGENT))
    await moved(client, number, dispatched())
    await moved(
        client, number, Command(Verb.RETURN, unit(), code="T1", reason="依据三定方案", target="other")
    )
    told = (await client.get("servicerequestupdates.json")).data
    assert [each["status"] for each in told] == ["OPEN", "INVESTIGATING", "ACTION_SCHEDULED"]
    assert [each["update_id"] for each in told] == [f"{number}-{seq}" for seq in (1, 2, 3)]
    later = (await client.get("servicerequestupdates.json", start_date="2026-11-24T03:00:00Z")).data
    assert [each["status"] for each in later] == ["INVESTIGATING", "ACTION_SCHEDULED"]


async def test_a_client_adds_words_to_its_own_case_once(client):
    number = await client.reports()
    await moved(client, number, Command(Verb.ASK, AGENT, reason="具体地点"))
    form = {"api_key": CITY, "service_request_id": number, "description": "在公交站牌东边"}
    first = await client.post("servicerequestupdates.json", **form, status="CLOSED")
    again = await client.post("servicerequestupdates.xml", **form, status="CLOSED")
    assert first.data == again.data == [{"update_id": f"{number}-3"}]
    assert (await the_case(client, number)).stage is Stage.SUBMITTED
    events = await client.gateway.lookup.log(number)
    assert [(event.verb, event.command.text) for event in events[2:]] == [(Verb.SUPPLEMENT, "在公交站牌东边")]


async def test_a_units_client_notes_how_it_stands_on_what_it_handles(client):
    number = await client.reports()
    form = {"api_key": UNIT_KEY, "service_request_id": number, "description": "已派人到现场查看"}
    assert (await client.post("servicerequestupdates.json", **form)).faults == [400]
    for command in (Command(Verb.ACCEPT, AGENT), dispatched(), Command(Verb.SIGN, unit())):
        await moved(client, number, command)
    assert (await client.post("servicerequestupdates.json", **form)).status == 200
    last = (await client.gateway.lookup.log(number))[-1]
    assert (last.verb, last.actor.unit, last.after) == (Verb.HANDLE, "370900-zjj", Stage.PROCESSING)


async def test_what_is_owed_to_a_client_is_settled_by_its_reading(client):
    number = await client.reports()
    await moved(client, number, Command(Verb.ACCEPT, AGENT))
    async with asyncio.timeout(30):
        while await owed(client) != [("open311", "sent")]:
            await asyncio.sleep(0.02)


async def owed(client):
    rows = await client.gateway.books.store.read(
        lambda connection: connection.exec_driver_sql("SELECT account, state FROM outgoing").all()
    )
    return [tuple(row) for row in rows]


def unit():
    return Actor(Role.UNIT, "u1", "370900-zjj")


def dispatched():
    return Command(Verb.DISPATCH, AGENT, unit="370900-zjj", unit_name="市住房和城乡建设局")


async def moved(client, number, command):
    return await client.gateway.office.act(number, command)


async def the_case(client, number):
    row = await client.gateway.books.store.read(lambda connection: cases.get(connection, number))
    return client.gateway.books.cases.read(row)


async def _notices(client, number):
    query = select(OUTGOING.c.notice).where(OUTGOING.c.case_no == number)
    return list(await client.gateway.books.store.read(lambda c: c.execute(query).scalars().all()))
