"""Photos, videos and documents of a report: sent by clients that are not ours, shown, taken back, and the case's own."""

import asyncio
import html
import io

from tusclient.client import TusClient

from tests.kit import media
from tests.kit.browser import WORDS, told


async def on_files_page(browser, path="/report/files"):
    if path == "/report/files":
        await browser.post("/report/what", {"text": WORDS})
    return await browser.get(path)


def send(url, grant, name, content):
    client = TusClient(url, headers={"Authorization": f"Bearer {grant}"})
    uploader = client.uploader(
        file_stream=io.BytesIO(content), chunk_size=64 * 1024, metadata={"filename": name}
    )
    uploader.upload()


async def curl(url, *form):
    process = await asyncio.create_subprocess_exec(
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *form, url, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode()


def address(browser, path):
    return str(browser.client.make_url(path))


async def test_what_a_tus_client_and_curl_send_is_attached_to_the_case(browsers, portal, tmp_path):
    browser = browsers()
    page = await on_files_page(browser)
    grant = page.hidden("grant")
    film = await asyncio.to_thread(media.film)
    await asyncio.to_thread(send, address(browser, "/uploads"), grant, "现场.mp4", film)
    (tmp_path / "井盖.jpg").write_bytes(media.photo())
    form = ("-F", f"grant={grant}", "-F", f"files=@{tmp_path / '井盖.jpg'}")
    assert await curl(address(browser, "/uploads/form"), *form) == "200"
    shown = await browser.get("/report/files")
    assert "现场.mp4" in shown.text
    assert "井盖.jpg" in shown.text
    assert shown.html.count('<img src="/files/') == 2
    number, _ = told(await finished(browser))
    case = await portal.lookup.case(number)
    assert {(each.kind, each.name) for each in case.matter.attachments} == {
        ("video", "现场.mp4"),
        ("image", "井盖.jpg"),
    }
    owned = await portal.media.uploads.of(number)
    assert {each.blob for each in case.matter.attachments} == {taken.key for taken in owned}
    assert "井盖.jpg" in (await browser.get(f"/cases/{number}")).text


async def test_films_and_recordings_can_be_played_on_the_case_s_page(browsers):
    browser = browsers()
    grant = (await on_files_page(browser)).hidden("grant")
    spoken = await asyncio.to_thread(media.voice, "amr", "libopencore_amrnb", rate=8_000)
    for name, content in (("现场.mp4", await asyncio.to_thread(media.film)), ("留言.amr", spoken)):
        await asyncio.to_thread(send, address(browser, "/uploads"), grant, name, content)
    number, _ = told(await finished(browser))
    page = (await browser.get(f"/cases/{number}")).html
    for tag, kind in (("video", "video/mp4"), ("audio", "audio/")):
        source = html.unescape(page.split(f'<{tag} src="', 1)[1].split('"', 1)[0])
        async with browser.client.get(source) as played:
            assert played.status == 200
            assert played.content_type.startswith(kind)
            assert played.headers["Content-Disposition"] == "inline"
            assert len(await played.read()) > 1000


async def finished(browser):
    await browser.post("/report/where", {"place": "东岳大街88号"})
    await browser.post("/report/when", {"when": "今天", "demand": "尽快修好"})
    await browser.post("/report/files")
    await browser.post("/report/contact", {"name": "张三", "phone": "13812345678"})
    return await browser.post("/report/check")


async def test_a_file_that_is_taken_back_goes_with_no_case(browsers, portal):
    browser = browsers()
    page = await on_files_page(browser)
    send_photo = (address(browser, "/uploads"), page.hidden("grant"), "一.jpg", media.photo())
    await asyncio.to_thread(send, *send_photo)
    page = await browser.get("/report/files")
    await browser.post("/report/files/drop", {"key": page.hidden("key")})
    assert "一.jpg" not in (await browser.get("/report/files")).text
    number, _ = told(await finished(browser))
    assert (await portal.lookup.case(number)).matter.attachments == ()


async def test_a_supplement_of_photos_needs_no_words(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    page = await on_files_page(browser, f"/cases/{number}/supplement")
    await asyncio.to_thread(
        send, address(browser, "/uploads"), page.hidden("grant"), "补充.jpg", media.photo()
    )
    done = await browser.post(f"/cases/{number}/supplement")
    assert done.path == f"/cases/{number}"
    case = await portal.lookup.case(number)
    assert [each.name for each in case.matter.attachments] == ["补充.jpg"]


async def test_a_file_of_another_browser_cannot_be_taken_back_or_seen(browsers):
    owner, thief = browsers(), browsers()
    page = await on_files_page(owner)
    photo = (address(owner, "/uploads"), page.hidden("grant"), "一.jpg", media.photo())
    await asyncio.to_thread(send, *photo)
    key = (await owner.get("/report/files")).hidden("key")
    await on_files_page(thief)
    await thief.post("/report/files/drop", {"key": key})
    assert "一.jpg" in (await owner.get("/report/files")).text
    assert (await thief.get(f"/files/{key}")).status == 404
