"""What the mini-program does when the line is cut, the app is closed, the session ends, or an answer is lost."""

from tests.kit.media import photo
from tests.kit.mini import PHONE, World, begins, number_on, reports, to_check, to_files
from tests.kit.tus import film

SIZE = 150_000
PIECE = 16 * 1024


def sent(screen) -> int:
    """Bytes of pieces that were answered."""
    return sum(each["size"] for each in screen.asked("POST", "/uploads/") if each.get("status") == 204)


async def cut_short(world: World, held) -> None:
    """Choose a film, lose the line in its fifth piece, and stand before what is said of it."""
    await to_files(held)
    await held.has(camera=[world.file("long.mp4", film(SIZE))], cut=4)
    screen = await held.taps("加视频")
    assert "上传中断" in screen.text
    assert "网络没有连上" in screen.text
    assert sent(screen) == 4 * PIECE


async def test_an_upload_that_was_cut_goes_on_where_the_gateway_has_it(world):
    async with world.phone() as held:
        await cut_short(world, held)
        await held.has(cut=None, offline=False)
        screen = await held.taps("继续上传")
        assert "已收到" in screen.text
        assert SIZE - PIECE <= sent(screen) <= SIZE
        await to_check(held)
        case = await world.case(number_on(await held.taps("提交")))
        assert [each.kind for each in case.matter.attachments] == ["video"]


async def test_an_upload_goes_on_after_the_app_was_closed(world):
    async with world.phone() as held:
        await cut_short(world, held)
    (world.folder / "long.mp4").unlink()
    async with world.phone() as held:
        assert any("接着写" in each for each in (await held.looks()).taps)
        screen = await held.taps("接着写")
        assert "已收到" in screen.text
        assert len(screen.asked("HEAD", "/uploads/")) == 1
        assert 0 < sent(screen) <= SIZE - 4 * PIECE
        await to_check(held)
        case = await world.case(number_on(await held.taps("提交")))
        assert [each.kind for each in case.matter.attachments] == ["video"]


async def test_a_report_waits_for_its_files_and_says_so(world):
    async with world.phone() as held:
        await cut_short(world, held)
        await held.has(cut=None, offline=False)
        await to_check(held)
        assert "材料还在上传" in (await held.taps("提交")).text
        for _ in range(2):
            await held.taps("上一步")
        await held.taps("删除")
        await to_check(held)
        assert (await held.taps("提交")).page == "done"


async def test_a_file_that_is_not_accepted_says_why_and_is_removed(world):
    async with world.phone() as held:
        await to_files(held)
        await held.has(camera=[world.file("no.jpg", b"MZ no picture at all" * 100)])
        screen = await held.taps("加照片")
        assert "没有传成" in screen.text
        assert "已收到" not in screen.text
        screen = await held.taps("删除")
        assert "没有传成" not in screen.text


async def test_a_cancelled_choice_says_nothing_and_a_refused_map_says_what_to_do(world):
    async with world.phone() as held:
        await begins(held)
        assert "直接写地点" in (await held.taps("在地图上选地点")).text
        await held.taps("下一步")
        await held.taps("下一步")
        assert "没有打开相册" not in (await held.taps("加照片")).text


async def test_a_submit_whose_answer_was_lost_and_one_sent_again_are_one_case(world):
    async with world.phone() as held:
        await to_files(held)
        await to_check(held)
        await held.has(lost="/api/v1/cases")
        screen = await held.taps("提交")
        assert "网络没有连上，您写的都还在" in screen.text
        number = number_on(await held.taps("提交"))
        screen = await held.opens("cases")
        assert screen.text.count("已提交") == 1
        assert number in screen.text


async def test_other_words_after_a_lost_answer_are_no_second_case(world):
    async with world.phone() as held:
        await to_files(held)
        await to_check(held)
        await held.has(lost="/api/v1/cases")
        await held.taps("提交")
        await held.taps("修改")
        await held.writes(text="泰山区东岳大街88号门前的大洞又变大了，有人摔倒")
        await held.taps("下一步")
        await held.taps("下一步")
        await held.taps("下一步")
        await held.taps("下一步")
        await held.taps("下一步")
        assert "刚才那一次已经提交成功" in (await held.taps("提交")).text
        assert (await held.opens("cases")).text.count("已提交") == 1


async def test_a_session_that_ended_is_begun_again_once_with_the_draft_and_its_files(world):
    async with world.phone() as held:
        await to_files(held)
        await held.has(camera=[world.file("a.jpg", photo())])
        await held.taps("加照片")
        await to_check(held)
        await world.ends_session(held)
        screen = await held.taps("提交")
        case = await world.case(number_on(screen))
        assert [each.kind for each in case.matter.attachments] == ["image"]
        assert len(screen.asked("POST", "/api/v1/sessions")) == 2


async def test_files_of_an_anonymous_session_that_ended_are_uploaded_again(world):
    async with world.phone(account="") as held:
        await to_files(held)
        await held.has(camera=[world.file("a.jpg", photo())])
        await held.taps("加照片")
        await to_check(held)
        await world.ends_session(held)
        screen = await held.taps("提交")
        case = await world.case(number_on(screen))
        assert [each.kind for each in case.matter.attachments] == ["image"]
        assert len(screen.asked("POST", "/uploads")) > len(screen.asked("POST", "/uploads/")) > 1


async def test_who_cannot_be_signed_in_is_told_and_keeps_the_draft(world):
    async with world.phone() as held:
        await held.has(codes=[])
        await begins(held)
        await held.writes(place="东岳大街88号")
        await held.taps("下一步")
        await held.taps("下一步")
        await to_check(held)
        screen = await held.taps("提交")
        assert "微信登录没有成功，您写的都还在" in screen.text
        assert held.stored["draft"]["phone"] == PHONE
        await held.has(codes=["wrong", world.platform.code("o-zhang")])
        assert (await held.taps("提交")).page == "done"


async def test_without_a_network_every_page_says_so_and_the_draft_is_kept(world):
    async with world.phone() as held:
        number = await reports(held)
        await held.has(offline=True)
        for page in ("cases", "case", "entry"):
            assert "网络没有连上" in (await held.opens(page, number=number, id="x")).text
        screen = await begins(held, "泰山区岱宗大街66号的路灯坏了三天，晚上很黑")
        assert "在什么地方" in screen.text
    async with world.phone() as held:
        screen = await held.taps("接着写")
        assert "在什么地方" in screen.text
        await held.taps("上一步")
        screen = await held.taps("不要了，重新写")
        assert "draft" not in held.stored


async def test_a_draft_is_forgotten_after_a_day(world):
    async with world.phone() as held:
        await to_files(held)
        await held.has(camera=[world.file("a.jpg", photo())])
        await held.taps("加照片")
    kept = world.folder / "o-zhang" / "storage.json"
    at = str(held.stored["draft"]["at"])
    kept.write_text(kept.read_text().replace(at, str(int(at) - 2 * 24 * 3600 * 1000)))
    async with world.phone() as held:
        assert not any("接着写" in each for each in (await held.looks()).taps)
        assert {"draft", "files.draft"}.isdisjoint(held.stored)
        assert list((world.folder / "o-zhang").glob("saved-*")) == []
