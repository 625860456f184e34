"""The mini-program's own pages, rendered and tapped, over real HTTP to a real gateway: a citizen's whole course."""

from gateway.knowledge import shelf
from normalizer.case import Stage
from tests.kit.api import WORDS
from tests.kit.media import film, photo
from tests.kit.mini import PHONE, begins, number_on, reports, to_check, to_files

LID = "泰山区东岳大街88号门前井盖丢失，晚上看不见"
PLACE = {"name": "岱庙", "address": "泰安市泰山区东岳大街88号", "longitude": 117.13, "latitude": 36.19}


async def test_a_citizen_reports_with_photos_a_film_and_a_place_follows_it_and_rates_it(world):
    async with world.phone() as held:
        screen = await begins(held)
        assert "泰山区东岳大街88号" in screen.text
        await held.has(there=PLACE)
        screen = await held.taps("在地图上选地点")
        assert "已记下位置" in screen.text
        await held.taps("下一步")
        await held.taps("今天")
        await held.taps("求助")
        await held.writes(demand="尽快填好")
        await held.taps("下一步")
        await held.has(camera=[world.file("a.jpg", photo()), world.file("b.png", photo("PNG"))])
        screen = await held.taps("加照片")
        assert screen.text.count("已收到") == 2
        await held.has(camera=[world.file("c.mp4", film())])
        screen = await held.taps("加视频")
        assert screen.text.count("已收到") == 3
        await held.taps("下一步")
        await held.writes(phone="138 1234 5678", name="李四")
        await held.taps("请对我的信息保密")
        screen = await held.taps("下一步")
        for told in (WORDS, "泰安市泰山区东岳大街88号 岱庙", "今天", "尽快填好", "求助", "3 份", "李四"):
            assert told in screen.text
        screen = await held.taps("提交", times=2)
        number = number_on(screen)
        assert len(screen.asked("POST", "/api/v1/cases")) == 1

        case = await world.case(number)
        assert sorted(each.kind for each in case.matter.attachments) == ["image", "image", "video"]
        assert (case.matter.lon, case.matter.lat) == (117.13, 36.19)
        assert (case.secret, case.complainant.phone, case.matter.demand) == (True, PHONE, "尽快填好")
        assert case.source_channel == "06"

        screen = await held.taps("看这一件")
        assert "opened" not in held.stored
        assert "draft" not in held.stored
        assert screen.page == "case"
        assert "已提交" in screen.text
        await held.taps("播放")
        screen = await held.taps("看照片")
        assert len(screen.said["previews"]) == 2
        for address in screen.said["previews"]:
            async with world.app.http.get(address) as answer:
                assert answer.status == 200

        await held.taps("补充")
        await held.writes(text="洞口有半米宽")
        await held.has(camera=[world.file("d.jpg", photo(size=(320, 240)))])
        await held.taps("加照片")
        screen = await held.taps("提交补充")
        assert screen.page == "case"
        assert "洞口有半米宽" in screen.text
        screen = await held.taps("催办")
        assert "已转告承办单位" in screen.text
        assert "您催办了一次" in screen.text
        assert "催办" not in screen.taps

        await world.office(number, Stage.VISITED)
        screen = await held.does("pull")
        assert "已处理完毕。" in screen.text
        await held.taps("评价")
        screen = await held.taps("提交评价")
        assert "请选一个评价" in screen.text
        await held.taps("不满意")
        await held.taps("未解决")
        await held.writes(text="没修好")
        screen = await held.taps("提交评价")
        assert screen.page == "case"
        assert "重新办理" in screen.text
        case = await world.case(number)
        assert (case.ratings[-1].score, case.ratings[-1].reasons) == (2, (2,))


async def test_nothing_is_reported_before_the_privacy_notice_is_agreed_to_and_a_new_one_asks_again(world):
    async with world.phone() as held:
        assert (await held.taps("反映问题")).page == "privacy"
        screen = await held.taps("不同意，返回")
        assert (screen.page, screen.said["toasts"]) == ("home", ["不同意也可以拨打热线电话反映。"])
        assert (await held.taps("反映问题")).page == "privacy"
        assert (await held.taps("同意并继续")).page == "report"
        assert held.stored["privacy"]["version"] == "2026-1"
        assert (await held.opens("report")).page == "report"
    async with world.phone(noticeVersion="2026-2") as held:
        screen = await held.taps("反映问题")
        assert screen.page == "privacy"
        assert "版本 2026-2" in screen.text


async def test_a_citizen_without_an_account_of_a_mini_program_has_the_cases_of_this_phone(world):
    async with world.phone(account="") as held:
        number = await reports(held)
        assert number in (await held.opens("cases")).text
        assert (await world.case(number)).source_channel == "04"


async def test_what_is_reported_is_in_the_list_on_another_telephone_of_the_same_person(world):
    async with world.phone() as held:
        number = await reports(held)
    (world.folder / "o-zhang" / "storage.json").unlink()
    async with world.phone() as held:
        assert number in (await held.opens("cases")).text
    async with world.phone("o-wang") as other:
        assert "还没有诉求" in (await other.opens("cases")).text
        assert "没有找到" in (await other.opens("case", number=number)).text


async def test_ten_cases_are_listed_and_more_at_the_bottom(world):
    async with world.phone() as held:
        number = await reports(held)
        headers = {"Authorization": f"Bearer {held.stored['token']}"}
        for n in range(11):
            body = {"text": f"第{n}处：{WORDS}", "kind": "02", "category": "D05", "phone": PHONE}
            assert (await world.app.post("/cases", body, headers=headers)).status == 201
        screen = await held.opens("cases")
        assert screen.text.count("已提交") == 10
        assert number not in screen.text
        screen = await held.does("reach")
        assert screen.text.count("已提交") == 12
        assert number in screen.text


async def test_a_case_is_withdrawn_only_when_it_is_confirmed(world):
    async with world.phone() as held:
        await reports(held)
        await held.taps("看这一件")
        await held.has(sure=False)
        assert "撤回" in (await held.taps("撤回")).taps
        await held.has(sure=True)
        screen = await held.taps("撤回")
        assert "已撤回" in screen.text
        assert "撤回" not in screen.taps


async def test_anybody_s_case_is_looked_up_by_number_and_code(world):
    async with world.phone() as held:
        await to_files(held)
        await to_check(held)
        screen = await held.taps("提交")
        number, code = number_on(screen), screen.text.split("查询码")[1][:6]
    async with world.phone("o-wang") as other:
        await other.taps("查进度")
        await other.writes(number=number, code="12")
        assert "请填 17 位单号和 6 位查询码" in (await other.taps("查询")).text
        await other.writes(code=f"{(int(code) + 1) % 1_000_000:06}")
        assert "单号或查询码不对" in (await other.taps("查询")).text
        await other.writes(code=code)
        screen = await other.taps("查询")
        assert "已提交" in screen.text
        assert "东岳大街" not in screen.text


async def test_what_others_reported_is_offered_followed_and_left(world):
    async with world.phone() as held:
        await reports(held, LID)
    async with world.phone("o-wang") as other:
        await to_files(other, "东岳大街88号门前井盖丢失了，晚上看不见")
        screen = await to_check(other)
        assert "已有人反映同一件事" in screen.text
        assert "仍要提交" in screen.taps
        screen = await other.taps("一起关注")
        assert screen.page == "cases"
        assert "我关注的" in screen.text
        assert "draft" not in other.stored
        assert "我关注的" not in (await other.taps("不再关注")).text


async def test_one_s_own_open_case_is_offered_to_be_added_to_with_the_words_and_photos(world):
    async with world.phone() as held:
        number = await reports(held, LID)
        await to_files(held, "东岳大街88号门前井盖丢失了，有人摔倒")
        await held.has(camera=[world.file("a.jpg", photo())])
        await held.taps("加照片")
        assert "您好像反映过" in (await to_check(held)).text
        assert "已收到" in (await held.taps("去补充那一件")).text
        screen = await held.taps("提交补充")
        assert screen.page == "case"
        assert "有人摔倒" in screen.text
        assert "draft" not in held.stored
        assert [each.kind for each in (await world.case(number)).matter.attachments] == ["image"]


async def test_danger_is_told_before_the_next_step_and_called_by_a_tap(world):
    async with world.phone() as held:
        screen = await begins(held, "泰山区东岳大街88号楼着火了，里面还有人")
        assert any("119" in each for each in screen.taps)
        screen = await held.taps("119")
        assert screen.said["called"] == ["119"]


async def test_questions_are_looked_up_and_an_answer_is_read(world):
    await shelf.starter(world.gateway.books.store, world.app.clock())
    await world.gateway.knowledge.refresh()
    async with world.phone() as held:
        await held.taps("办事问答")
        await held.writes(words="公积金怎么提取")
        screen = await held.taps("查一查")
        entry = next(each for each in screen.taps if "公积金" in each)
        screen = await held.taps(entry)
        assert screen.page == "entry"
        assert "公积金" in screen.text
        await held.opens("knowledge")
        await held.writes(words="qqqqzzzz")
        assert "没有查到" in (await held.taps("查一查")).text


async def test_the_hotline_is_called_by_one_tap(world):
    async with world.phone() as held:
        assert "联系人工" in (await held.looks()).taps
        assert (await held.taps("拨打热线")).said["called"] == ["12345"]


async def test_news_are_asked_for_in_the_tap_that_submits(world):
    async with world.phone() as held:
        await held.has(given={"/api/v1/wechat/templates?account=mini": {"templates": [{"id": "t1"}, "t2"]}})
        await to_files(held)
        await to_check(held)
        screen = await held.taps("提交")
        assert screen.page == "done"
        assert screen.said["asked"] == [["t1", "t2"]]


async def test_the_number_that_wechat_knows_may_be_refused_and_is_then_written(world):
    async with world.phone() as held:
        await to_files(held)
        await held.taps("下一步")
        assert "请直接填写" in (await held.does("phone")).text
        assert "请留一个电话" in (await held.taps("下一步")).text
        await held.writes(phone="123")
        assert "这个号码好像不对" in (await held.taps("下一步")).text
        await held.taps("不留姓名电话")
        screen = await held.taps("下一步")
        assert "不留" in screen.text
        number = number_on(await held.taps("提交"))
        assert (await world.case(number)).complainant.phone == ""
