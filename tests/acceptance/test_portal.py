"""The citizens' pages in a real browser: by mouse, by keyboard alone, without scripts, for old eyes, and the talk."""

import base64
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.kit import media
from tests.kit.chromium import Demo, chromium, demo
from tests.kit.gateway import embedded
from tests.kit.process import configure, served

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

SMALL = {"width": 360, "height": 640}
PLACE = "泰山区东岳大街88号"
MATTER = PLACE + "门前井盖丢失，夜里走路有危险，请尽快来修"
STATIC = Path(str(resources.files("gateway") / "static"))
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
AXE = Path(__file__).parents[1] / "vendor/axe.js"
HIT = "main a.button, main button, main input:not([type=hidden]):not([tabindex='-1']), main textarea, main summary, .danger a"


def test_a_report_by_mouse_on_a_small_screen(page, materials):
    page.goto("/")
    page.get_by_role("link", name="我要反映").click()
    page.get_by_label("请写在这里").fill(MATTER)
    on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("什么时候的事？想怎么解决？")
    page.get_by_label("今天").check()
    on(page)
    page.locator("#files").set_input_files(materials)
    expect(page.locator(".kept li")).to_have_count(3)
    on(page)
    page.get_by_label("怎么称呼您").fill("李四")
    page.get_by_label("电话", exact=True).fill("13812345678")
    on(page)
    expect(page.locator(".check")).to_contain_text("今天")
    expect(page.locator(".check")).to_contain_text("李四 13812345678")
    sends(page)
    number, code = told(page)
    page.get_by_role("link", name="看这一件").click()
    expect(page.locator(".line")).to_contain_text("已提交")
    attached(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    assert re.fullmatch(r"\d{6}", code)
    assert number in page.url


def test_a_report_by_keyboard_alone(page, materials):
    page.goto("/")
    enter(page, "a.door.main")
    write(page, "#text", MATTER)
    enter(page, "#next")
    write(page, "#demand", "尽快补上")
    enter(page, "#next")
    expect(page).to_have_url(re.compile("/report/files"))
    tab_to(page, "#files")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Space")
    chosen.value.set_files(materials)
    expect(page.locator(".kept li")).to_have_count(3)
    enter(page, "#next")
    write(page, "#phone", "1381234")
    enter(page, "#next")
    expect(page.locator(".problems")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#phone")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("13812345678")
    press(page, "[name=secret]", "Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".check")).to_contain_text("尽快补上")
    enter(page, "#next")
    number, _ = told(page)
    page.goto(f"/cases/{number}")
    attached(page)


def test_a_report_without_scripts(visitor, materials):
    page = visitor(java_script_enabled=False)
    report(page, materials=materials)
    number, code = told(page)
    page.goto(f"/cases/{number}")
    expect(page.locator(".kept li")).to_have_count(3)
    other = visitor(java_script_enabled=False)
    other.goto("/cases")
    other.get_by_label("单号").fill(number)
    other.get_by_label("查询码").fill(code)
    other.get_by_role("button", name="查询").click()
    expect(other.locator("main")).to_contain_text("更多内容只有提交人本人可以看")
    assert "井盖" not in other.locator("main").inner_text()


def test_a_report_in_the_elderly_view_asks_less_in_large_letters(page, materials):
    page.goto("/")
    sends(page, page.get_by_role("button", name="长辈版"))
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "24px"
    page.get_by_role("link", name="我要反映").click()
    page.get_by_label("请写在这里").fill(MATTER)
    seen = []
    while not page.url.endswith("/check"):
        seen.append(page.url.rpartition("/")[2])
        assert small_targets(page, 60) == []
        if page.locator("#phone").count():
            page.locator("#phone").fill("13812345678")
        if page.locator("#files").count():
            page.locator("#files").set_input_files(materials)
            expect(page.locator(".kept li")).to_have_count(3)
            assert small_targets(page, 60) == []
        on(page)
    assert seen == ["what", "files", "contact"]
    sends(page)
    number, _ = told(page)
    page.goto(f"/cases/{number}")
    attached(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]


def test_what_was_left_half_written_is_there_again(page):
    page.goto("/report/what")
    page.get_by_label("请写在这里").fill(MATTER)
    on(page)
    page.goto("/")
    page.get_by_role("link", name="我要反映").click()
    expect(page.locator("blockquote")).to_contain_text("井盖丢失")
    page.get_by_role("link", name="接着写").click()
    expect(page.get_by_label("请写在这里")).to_have_value(MATTER)
    page.goto("/report")
    page.get_by_role("button", name="不要了，重新写").click()
    expect(page.get_by_label("请写在这里")).to_have_value("")


def test_a_case_is_followed_supplemented_urged_and_rated(page, played):
    number = report(page)
    page.goto(f"/cases/{number}")
    page.get_by_role("link", name="补充").click()
    page.get_by_label("要补充什么").fill("昨晚又有人绊倒。")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".line")).to_contain_text("昨晚又有人绊倒。")
    played.advance(number)
    page.get_by_role("link", name="催办").click()
    page.get_by_role("button", name="催办").click()
    expect(page.locator(".line")).to_contain_text("您催办了一次")
    for _ in range(3):
        played.advance(number)
    page.reload()
    expect(page.locator(".answer")).to_contain_text("处理完毕")
    page.get_by_role("link", name="评价").click()
    expect(page.locator("#reasons")).to_be_hidden()
    page.get_by_label("不满意", exact=True).check()
    page.get_by_label("答非所问").check()
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".line")).to_contain_text("您评价了办理结果")


def test_a_case_is_withdrawn(page):
    number = report(page)
    page.goto(f"/cases/{number}")
    page.get_by_role("link", name="撤回").click()
    page.get_by_role("button", name="确认撤回").click()
    expect(page.locator(".stage")).to_have_text("已撤回")
    expect(page.get_by_role("link", name="催办")).to_have_count(0)


def test_a_telephone_is_proved_by_a_code_and_opens_its_cases(visitor, played):
    phone = "13805387711"
    reporter, page = visitor(), visitor()
    number = report(reporter, phone=phone)
    for each in (reporter, page):
        proves(each, asked_code(each, played, phone))
    expect(page.locator(".cases")).to_contain_text(number[-7:])
    sends(page, page.get_by_role("button", name="退出"))
    page.goto(f"/cases/{number}")
    expect(page.locator("h1")).to_have_text("没有找到")


def test_wrong_codes_close_the_door_to_the_right_one(page, played):
    code = asked_code(page, played, "13805387722")
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        proves(page, wrong)
    proves(page, code)
    expect(page.locator(".problems")).to_contain_text("请一小时后再试")


def test_the_bot_answers_at_once_and_its_menu_is_buttons(page):
    page.goto("/chat")
    expect(page.locator("#state")).to_have_text("已连上，有新回复会自动出现。")
    page.get_by_label("说点什么").fill("你好")
    page.get_by_role("button", name="发送").click()
    menu = page.locator("#choices button")
    expect(menu).to_have_text(["咨询政策", "反映问题", "查进度", "补充材料", "长辈模式", "转人工"])
    page.get_by_role("button", name="转人工").click()
    expect(page.locator(".talk li").last).to_contain_text("已为您登记转人工")
    assert [line["mine"] for line in lines(page)] == [True, False, True, False]
    page.reload()
    assert len(lines(page)) == 4
    expect(page.locator("#choices button")).to_have_text(["继续等", "请回电", "留言", "返回"])


def test_a_talk_goes_on_where_the_line_broke(page):
    page.goto("/chat")
    expect(page.locator("#state")).to_contain_text("已连上")
    page.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#state")).to_contain_text("连接断了")
    page.context.set_offline(False)
    expect(page.locator("#state")).to_contain_text("已连上", timeout=8000)
    page.get_by_label("说点什么").fill("你好")
    page.get_by_role("button", name="发送").click()
    expect(page.locator(".talk li").last).to_contain_text("智能客服")


def test_the_talk_goes_by_plain_forms_without_scripts(visitor):
    page = visitor(java_script_enabled=False)
    page.goto("/chat")
    page.get_by_label("说点什么").fill("你好")
    sends(page, page.get_by_role("button", name="发送"))
    for _ in range(20):
        if len(lines_of(page)) == 2:
            break
        sends(page, page.get_by_role("link", name="看有没有新回复"))
    assert lines_of(page)[0].endswith("你好")
    assert "智能客服" in lines_of(page)[1]


MENUS = [
    (
        "one line",
        "请核对：\n1类型：投诉\n3内容：我家 3 楼 2 单元漏水\n回复：1 提交 2 修改 0 转人工",
        ["1", "2", "0"],
    ),
    (
        "after a question",
        "什么时候发生的？1 现在 2 今天 3 近几天 4 长期存在（也可直接写时间）0 转人工",
        ["1", "2", "3", "4", "0"],
    ),
    (
        "words",
        "2600001｜路灯｜状态：办理中\n回复“催办”“补充”或“撤回”可继续操作，0 转人工。",
        ["0", "催办", "补充", "撤回"],
    ),
    (
        "the rating of a service",
        "本次人工服务已结束。请为这次服务评价：5 非常满意 4 满意 3 基本满意 2 不满意 1 非常不满意 0 转人工",
        ["5", "4", "3", "2", "1", "0"],
    ),
    ("numbers that are no menu", "紧急情况请拨打110、119，24小时有人接听。", []),
    ("a sentence in English", "Please tell us your problem. Reply 0 for a person.", []),
    ("only a person", "不客气，这是我们应该做的。请回复 0 转人工，也可以直接拨打12345。", ["0"]),
]


def test_a_menu_is_read_as_the_bot_meant_it(page):
    page.goto("/chat")
    module = page.locator("#talk").get_attribute("data-module")
    script = "async ([module, text]) => (await import(module)).choices(text)"
    for name, text, sent in MENUS:
        assert [answer for _, answer in page.evaluate(script, [module, text])] == sent, name


def test_a_place_is_shown_on_the_map_by_mouse_keyboard_and_position(browser, tiles, tmp_path):
    if not (STATIC / "vendor/leaflet.js").is_file():
        pytest.skip("leaflet is not there: python hatch_build.py")
    config = configure(tmp_path, embedded(tmp_path))
    with config.open("a") as more:
        more.write(
            f'[portal]\nmap_tiles = "{tiles}/{{z}}/{{x}}/{{y}}.png"\nmap_center = "117.09,36.20"\nmap_zoom = 13\n'
        )
    with served(config) as (_, address):
        context = browser.new_context(
            viewport=SMALL,
            base_url=address,
            permissions=["geolocation"],
            geolocation={"longitude": 117.09, "latitude": 36.2},
        )
        page = watched(context, address)
        page.goto("/report/what")
        page.locator("#text").fill("路灯坏了好几盏，晚上过马路看不清，请尽快修好")
        sends(page)
        page.goto("/report/where")
        shown = page.locator("#map")
        expect(shown.locator("img.leaflet-tile-loaded").first).to_be_visible()
        shown.click(position={"x": 100, "y": 100})
        expect(page.locator("#located")).to_have_text("已记下您在地图上选的地方。")
        west = float(page.locator("#lon").input_value())
        assert west < 117.09
        tab_to(page, "#map")
        page.keyboard.press("Enter")
        assert float(page.locator("#lon").input_value()) == pytest.approx(117.09, abs=1e-4)
        assert page.locator("#datum").input_value() == "gcj02"
        page.locator("#locate").click()
        expect(page.locator("#located")).to_have_text("已记下您的位置。")
        assert page.locator("#datum").input_value() == "wgs84"
        on(page)
        page.goto("/report/where")
        # What came back is kept in the map's degrees: some hundred metres to the east.
        assert float(page.locator("#lon").input_value()) == pytest.approx(117.0956, abs=1e-3)
        expect(shown.locator(".pin")).to_be_visible()
        assert page.errors == []
        context.close()


def test_a_file_that_cannot_be_taken_says_why_and_the_others_can_be_taken_back(page, materials):
    if not (STATIC / "vendor/tus.js").is_file():
        pytest.skip("tus-js-client is not there: python hatch_build.py")
    page.goto("/report/what")
    page.locator("#text").fill(MATTER)
    sends(page)
    page.goto("/report/files")
    files = page.locator("#files")
    expect(page.locator(".upload .plain")).to_be_hidden()
    files.set_input_files({"name": "照片.jpg", "mimeType": "image/jpeg", "buffer": b"<html>" * 40})
    row = page.locator(".files li")
    expect(row).to_contain_text("照片.jpg（1 KB）")
    expect(row.locator(".error")).to_contain_text("可以上传照片")
    row.get_by_role("button", name="删除 照片.jpg").click()
    expect(row).to_have_count(0)
    page.reload()
    page.locator("#files").set_input_files(materials[0])
    expect(page.locator(".kept li")).to_have_count(1)
    page.locator(".kept").get_by_role("button", name="删除").click()
    expect(page.locator(".kept li")).to_have_count(0)


VIEWS = {"plain": "zh", "elderly": "zh-elderly", "contrast": "zh-contrast", "english": "en"}
OPEN = (
    "/",
    "/scope",
    "/privacy",
    "/cases",
    "/login",
    "/chat",
    "/report/what",
    "/knowledge?q=公积金",
    "/me",
    "/nothing",
)
WRITTEN = ("/report", "/report/where", "/report/when", "/report/files", "/report/contact", "/report/check")
OWN = ("", "/supplement", "/urge", "/withdraw", "/rate")


@pytest.mark.parametrize("view", ["plain", "elderly"])
def test_every_page_keeps_the_rules_of_accessibility(visitor, view):
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python hatch_build.py tests")
    page, found = visitor(), {}
    number = seen_as(page, view)

    def look(name: str) -> None:
        if wrong := violations(page):
            found[name] = wrong

    look("/report/done")
    for act in OWN:
        page.goto(f"/cases/{number}{act}")
        look(f"/cases/…{act}")
    page.goto(f"/cases/{number}/rate")
    sends(page, page.locator("main form button"))
    look("/rate, wrong")
    for path in OPEN:
        page.goto(path)
        look(path)
    page.goto("/report/what")
    sends(page)
    look("/report/what, wrong")
    page.locator("#text").fill(MATTER + "，家里着火了")
    sends(page)
    for path in WRITTEN[:-1]:
        page.goto(path)
        look(path)
    page.locator("#phone").fill("1")
    sends(page)
    look("/report/contact, wrong")
    page.locator("#phone").fill("13812345678")
    sends(page)
    page.goto(WRITTEN[-1])
    look(WRITTEN[-1])
    assert found == {}
    assert page.errors == []


@pytest.mark.parametrize("view", ["contrast", "english"])
def test_other_colours_and_words_keep_them_too(visitor, view):
    page, found = visitor(), {}
    number = seen_as(page, view)
    for path in ("/", f"/cases/{number}", f"/cases/{number}/rate", "/cases", "/chat", "/report/what"):
        page.goto(path)
        if wrong := violations(page):
            found[path] = wrong
    assert found == {}


def seen_as(page, view):
    """Report, and go on in a view; returns the case's number."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python hatch_build.py tests")
    page.add_init_script(path=AXE)
    number = report(page)
    page.context.add_cookies([{"name": "jiesu_view", "value": VIEWS[view], "url": page.base}])
    page.reload()
    return number


def violations(page: Page) -> list[str]:
    """Return what of a page breaks a rule of axe-core, or reaches over the edge of the screen."""
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    said = [f"{each['id']}: {node['html'][:90]}" for each in found for node in each["nodes"]]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*said, f"{wide} pixels too wide"] if wide > 0 else said


def small_targets(page: Page, least: int) -> list[str]:
    script = f"""least => [...document.querySelectorAll(`{HIT}`)].filter((each) => {{
        const box = (each.closest('label.choice') || each).getBoundingClientRect();
        return box.height > 0 && box.height < least;
    }}).map((each) => each.outerHTML.slice(0, 80))"""
    return page.evaluate(script, least)


def sends(page: Page, button: Locator | None = None) -> None:
    """Send the page's form, and wait for the page that answers it."""
    with page.expect_navigation():
        (button or page.locator("#next")).click()


def on(page: Page) -> None:
    sends(page, page.get_by_role("button", name="下一步", exact=True))


def told(page: Page) -> tuple[str, str]:
    expect(page.locator("h1")).to_have_text("已经提交")
    number, code = page.locator(".numbers dd").all_inner_texts()
    return re.sub(r"\D", "", number), re.sub(r"\D", "", code)


def attached(page: Page) -> None:
    """Look at the page of a case: its three files are there, small pictures of the photos, and the film to be played."""
    expect(page.locator(".kept li")).to_have_count(3)
    expect(page.locator(".kept video[controls][poster]")).to_have_count(1)
    pictures = page.locator(".kept img")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('.kept img')].every((each) => each.naturalWidth > 0)"
    )


def report(page: Page, phone: str = "13812345678", materials: list[Path] | None = None) -> str:
    """Report, and stay on the page that tells number and code."""
    page.goto("/report/what")
    page.locator("#text").fill(MATTER)
    sends(page)
    if materials:
        page.goto("/report/files")
        page.locator("#files").set_input_files(materials)
        sends(page, page.get_by_role("button", name="上传"))
        expect(page.locator(".kept li")).to_have_count(3)
    page.goto("/report/contact")
    page.locator("#phone").fill(phone)
    sends(page)
    page.goto("/report/check")
    sends(page)
    return told(page)[0]


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the keyboard does not reach {selector}")


def press(page: Page, selector: str, key: str) -> None:
    tab_to(page, selector)
    page.keyboard.press(key)


def enter(page: Page, selector: str) -> None:
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.type(text)


def lines(page: Page) -> list[dict]:
    script = "all => all.map((each) => ({mine: each.classList.contains('mine'), text: each.innerText}))"
    return page.locator(".talk li[data-id]").evaluate_all(script)


def lines_of(page: Page) -> list[str]:
    return page.locator(".talk li[data-id]").all_inner_texts()


def asked_code(page: Page, played: Demo, phone: str) -> str:
    """Ask for a code, and read it where the telephone shows it; one that it was sent before is none."""
    before = len(codes(played, phone))
    page.goto("/login")
    page.get_by_label("手机号").fill(phone)
    page.get_by_role("button", name="发验证码").click()
    expect(page.locator("h1")).to_have_text("输入验证码")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if fresh := codes(played, phone)[before:]:
            return fresh[-1]
        page.wait_for_timeout(100)
    pytest.fail("no code came")


def proves(page: Page, code: str) -> None:
    page.get_by_label("验证码").fill(code)
    sends(page, page.get_by_role("button", name="确定"))


def codes(played: Demo, phone: str) -> list[str]:
    """Return the codes that a telephone was sent, oldest first."""
    lines = [
        line["text"] for each in played.state()["phones"] if each["number"] == phone for line in each["lines"]
    ]
    return [found.group() for found in (re.search(r"\d{6}", line) for line in lines) if found]


def _broken(said) -> bool:
    # A refused form answers 422, which the browser notes as an error of its own.
    return said.type == "error" and not said.text.startswith("Failed to load resource")


@pytest.fixture(scope="module")
def materials(tmp_path_factory) -> list[Path]:
    """Two photos and a video."""
    folder = tmp_path_factory.mktemp("materials")
    made = {
        "井盖.jpg": media.photo(),
        "路口.heic": media.photo("HEIF"),
        "现场.mp4": media.film(),
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in made]


@pytest.fixture(scope="module")
def played():
    with demo("--port", "0") as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


def watched(context, address):
    """Open a page whose errors are kept."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.base, page.errors = address, []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if _broken(said) else None)
    return page


@pytest.fixture
def tiles():
    """A server of map tiles, each a picture of one pixel."""

    class Tile(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Tile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visitor(browser, played):
    """Somebody with a browser of his own, on a telephone."""
    contexts = []

    def come(**options):
        context = browser.new_context(viewport=SMALL, base_url=played.gateway, **options)
        contexts.append(context)
        return watched(context, played.gateway)

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def page(visitor):
    return visitor()
