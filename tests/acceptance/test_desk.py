"""The desk in real browsers: two agents, a supervisor and three citizens on the sandbox's phones play the whole course.

Each test takes citizens of its own, so that none sees another's talks.
"""

import itertools
import json
import re

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.kit.deskpage import (
    AXE,
    PASSWORD,
    UPRIGHT,
    Town,
    becomes,
    line,
    logs_in,
    look,
    row,
    violations,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

LONG = 60_000
"""Milliseconds to wait for what is shown."""
_numbers = itertools.count(1)


@pytest.fixture
def li(place):
    with place.on_duty("xiaoli") as page:
        yield page


@pytest.fixture
def wang(place):
    with place.on_duty("xiaowang") as page:
        yield page


@pytest.fixture
def zhou(place):
    with place.on_duty("laozhou") as page:
        yield page


def comes(place: Town, words: str) -> str:
    """Let a new citizen ask for a person and say something; return who it is."""
    openid = f"oCitizen{next(_numbers)}"
    place.follows(openid)
    place.citizen(openid, "0", words)
    return openid


def takes(page: Page, words: str) -> None:
    """Take a citizen's talk by mouse, from an offer or the list."""
    expect(row(page, words)).to_be_visible(timeout=LONG)
    row(page, words).click()
    expect(line(page, words)).to_have_count(1, timeout=LONG)
    page.locator("div.talk .tools").first.get_by_role("button", name=re.compile("领取|接受")).click()
    expect(page.get_by_role("button", name=re.compile("^结束"))).to_be_visible(timeout=LONG)


def says(page: Page, words: str) -> None:
    page.locator("#reply").fill(words)
    page.keyboard.press("Control+Enter")
    expect(line(page, words)).to_have_count(1, timeout=LONG)


def shows(page: Page, view: str) -> None:
    page.locator(f".views [data-view={view}]").click()


def test_a_password_that_is_wrong_is_told_so_and_nothing_of_the_desk_shows(place):
    page = place.page()
    expect(page.locator("dialog.loginbox")).to_be_visible()
    look(page, "login")
    logs_in(page, "xiaoli", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("不对")
    assert page.locator(".row").count() == 0
    page.context.close()


def test_an_offer_is_taken_by_one_key_and_the_answer_reaches_the_phone(place, li):
    who = comes(place, "路灯坏了三天")
    expect(li.locator(".offer")).to_contain_text("秒", timeout=LONG)
    look(li, "offer")
    li.keyboard.press("a")
    expect(li.locator("#reply")).to_be_focused(timeout=LONG)
    li.keyboard.type("您好，请问是哪条路？")
    li.keyboard.press("Control+Enter")
    expect(line(li, "请问是哪条路")).to_have_count(1)
    expect(li.locator(".undobar")).to_be_visible()
    look(li, "undo")
    assert "请问是哪条路" not in place.heard(who)
    expect(li.locator(".line.agent .state").last).to_have_text(re.compile("已发出|已送达"), timeout=LONG)
    assert "请问是哪条路" in place.heard(who)
    place.citizen(who, "东岳大街")
    expect(line(li, "东岳大街")).to_have_count(1, timeout=LONG)
    closes(li)


def test_a_text_that_was_looked_for_is_saved_as_a_view(place, li):
    comes(place, "幼儿园门口没有斑马线")
    takes(li, "幼儿园门口没有斑马线")
    li.locator("#sought").fill("斑马线")
    li.get_by_role("button", name="存为视图").click()
    expect(li.locator("#view-text")).to_have_value("斑马线")
    look(li, "view-text")
    assert violations(li) == []
    li.locator("#view-text").fill("线")
    li.locator("#view-name").fill("斑马线")
    li.get_by_role("button", name="保存").click()
    expect(li.get_by_text("请至少写两个字")).to_be_visible()
    look(li, "view-text-short")
    li.locator("#view-text").fill("斑马线")
    li.get_by_role("button", name="保存").click()
    view = li.locator(".views button[data-view]", has_text="斑马线")
    expect(view).to_be_visible(timeout=LONG)
    view.click()
    expect(row(li, "幼儿园门口没有斑马线")).to_be_visible(timeout=LONG)
    expect(li.locator("#queue-list .row")).to_have_count(1)
    look(li, "view-with-text")
    closes(li)


def test_who_was_busy_is_shown_busy_when_he_comes_back(place, li):
    becomes(li, "busy")
    li.reload()
    expect(li.locator("#state")).to_have_value("busy", timeout=LONG)


def test_what_was_sent_is_taken_back_and_stands_where_it_was_written(place, li):
    who = comes(place, "小区停水了")
    takes(li, "小区停水了")
    says(li, "请等一会")
    expect(li.locator(".undobar")).to_be_visible(timeout=LONG)
    li.keyboard.press("Escape")
    li.keyboard.press("u")
    expect(li.locator("#reply")).to_have_value("请等一会", timeout=LONG)
    expect(line(li, "请等一会")).to_have_count(0)
    assert "请等一会" not in place.heard(who)
    closes(li)


def test_two_who_take_at_once_one_wins_and_the_other_sees_who_t1(place, li, wang):
    for page in (li, wang):
        becomes(page, "busy")
    comes(place, "噪音扰民怎么办")
    for page in (li, wang):
        shows(page, "waiting")
        expect(row(page, "噪音扰民")).to_be_visible(timeout=LONG)
        row(page, "噪音扰民").click()
        expect(page.get_by_role("button", name=re.compile("领取"))).to_be_visible(timeout=LONG)
    # The other's page is kept from hearing of it, as on a slow network.
    wang.route(
        "**/desk/api/talks/*/take", lambda route: (li.keyboard.press("a"), held(li), route.continue_())
    )
    wang.keyboard.press("a")
    expect(wang.locator(".toast")).to_contain_text("小李", timeout=LONG)
    expect(wang.locator("div.talk .about")).to_contain_text("小李", timeout=LONG)
    closes(li)


def test_a_talk_is_passed_on_whispered_to_and_taken_over_and_no_draft_is_lost_t24(place, li, wang, zhou):
    for page in (wang, zhou):
        becomes(page, "busy")
    who = comes(place, "医保卡丢了")
    takes(li, "医保卡丢了")
    li.locator("#reply").fill("这句还没写完")
    expect(li.locator(".kept")).to_have_text("草稿已保存", timeout=LONG)
    shows(zhou, "all")
    row(zhou, "医保卡丢了").click()
    expect(row(li, "医保卡丢了").locator(".company")).to_contain_text("老周", timeout=LONG)
    zhou.keyboard.press("n")
    zhou.keyboard.type("先安抚一下")
    zhou.keyboard.press("Control+Enter")
    expect(line(li, "先安抚一下")).to_have_count(1, timeout=LONG)
    look(li, "whisper")
    zhou.get_by_role("button", name="接管").click()
    expect(li.locator("div.talk .about")).to_contain_text("老周", timeout=LONG)
    expect(li.locator("#reply")).to_have_value("这句还没写完")
    expect(
        zhou.locator("div.talk .tools").first.get_by_role("button", name=re.compile("转派"))
    ).to_be_visible()
    zhou.keyboard.press("Escape")
    zhou.keyboard.press("t")
    to = zhou.locator("#pass-to option", has_text="小王").get_attribute("value")
    zhou.get_by_label("转给谁").select_option(to)
    zhou.get_by_label("给接手同事的备注").fill("请查挂失进度")
    zhou.locator("dialog").get_by_role("button", name="转派").click()
    becomes(wang, "online")
    expect(wang.locator(".offer")).to_be_visible(timeout=LONG)
    wang.keyboard.press("a")
    expect(line(wang, "请查挂失进度")).to_have_count(1, timeout=LONG)
    says(wang, "已经为您查到")
    expect(line(li, "已经为您查到")).to_have_count(1, timeout=LONG)
    closes(wang)
    assert "医保卡" in place.heard(who)


def test_a_line_that_breaks_is_shown_and_brings_all_that_was_missed_once_t20(place, li):
    who = comes(place, "垃圾没人清运")
    takes(li, "垃圾没人清运")
    li.context.set_offline(True)
    expect(li.locator(".link")).to_have_text(re.compile("断线"), timeout=LONG)
    expect(li.get_by_role("button", name=re.compile("^发送"))).to_be_disabled()
    li.locator("#reply").fill("断线时写的")
    look(li, "lost")
    place.citizen(who, "第一句", "第二句", "第三句")
    li.context.set_offline(False)
    expect(li.locator(".link")).to_have_text("已连接", timeout=40_000)
    for words in ("第一句", "第二句", "第三句"):
        expect(line(li, words)).to_have_count(1, timeout=LONG)
    expect(li.locator("#reply")).to_have_value("断线时写的")
    li.keyboard.press("Control+Enter")
    expect(line(li, "断线时写的")).to_have_count(1, timeout=LONG)
    closes(li)


def test_a_session_that_ends_in_mid_reply_asks_for_the_login_and_keeps_the_words(place, li):
    who = comes(place, "公交车不停站")
    takes(li, "公交车不停站")
    li.locator("#reply").fill("正在为您联系公交公司")
    li.context.clear_cookies()
    li.keyboard.press("Control+Enter")
    expect(li.locator("dialog.loginbox")).to_contain_text("登录过期", timeout=LONG)
    look(li, "expired")
    li.get_by_label("登录名").fill("xiaoli")
    li.get_by_label("密码", exact=True).fill(PASSWORD)
    li.get_by_role("button", name="登录").click()
    expect(li.locator("dialog.loginbox")).to_have_count(0, timeout=LONG)
    expect(li.locator("#reply")).to_have_value("正在为您联系公交公司", timeout=LONG)
    expect(line(li, "正在为您联系公交公司")).to_have_count(0)
    assert "公交公司" not in place.heard(who)
    # Until it is connected again the page sends nothing, and says so.
    expect(li.locator(".link")).to_have_text("已连接", timeout=LONG)
    li.locator("#reply").focus()
    li.keyboard.press("Control+Enter")
    expect(line(li, "正在为您联系公交公司")).to_have_count(1, timeout=LONG)
    closes(li)


def test_pressing_twice_sends_once_t22(place, li):
    comes(place, "树倒了挡路")
    takes(li, "树倒了挡路")
    li.route("**/reply", lambda route: (li.wait_for_timeout(300), route.continue_()))
    li.locator("#reply").fill("马上派人")
    li.keyboard.press("Control+Enter")
    li.keyboard.press("Control+Enter")
    expect(li.locator(".line.agent .state").last).to_have_text("可撤回", timeout=LONG)
    li.reload()
    shows(li, "mine")
    row(li, "马上派人").click()
    expect(line(li, "马上派人")).to_have_count(1, timeout=LONG)
    closes(li)


def test_an_answer_that_was_lost_is_sent_again_as_the_same_reply(place, li):
    comes(place, "下水道堵了")
    takes(li, "下水道堵了")
    asked = []

    def lose(route):
        asked.append(route.request.post_data_json["echo"])
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    li.route("**/reply", lose)
    li.locator("#reply").fill("已登记")
    li.keyboard.press("Control+Enter")
    expect(li.locator(".line.unsent")).to_be_visible(timeout=LONG)
    li.get_by_role("button", name="再发一次").click()
    expect(li.locator(".line.unsent")).to_have_count(0, timeout=LONG)
    expect(line(li, "已登记")).to_have_count(1)
    assert len(set(asked)) == 1
    closes(li)


def test_an_old_answer_never_overwrites_a_newer_view_t21(place, li):
    held_back = []
    li.route("**/desk/api/queue?view=all*", held_back_by(held_back))
    shows(li, "all")
    shows(li, "waiting")
    expect(li.locator("[data-view=waiting]")).to_have_attribute("aria-pressed", "true")
    old = {"items": [faked(0, "旧的答复")], "counts": {"all": 1}, "cursor": "0", "after": None}
    held_back[0].fulfill(json=old)
    li.wait_for_timeout(200)
    assert row(li, "旧的答复").count() == 0


def test_of_five_thousand_rows_only_those_are_made_that_are_seen(place, li):
    many = {"items": [faked(n, f"第{n}位市民的话") for n in range(5000)], "cursor": "0", "after": None}
    li.route("**/desk/api/queue*", lambda route: route.fulfill(json=many | {"counts": {"all": 5000}}))
    shows(li, "all")
    expect(row(li, "第0位市民的话")).to_be_visible()
    assert li.locator(".row").count() < 40
    li.locator(".scroller").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(row(li, "第4999位市民的话")).to_be_visible()
    assert li.locator(".row").count() < 40
    assert row(li, "第4999位市民的话").get_attribute("aria-setsize") == "5000"


def test_the_list_stays_where_it_is_under_the_pointer(place, li):
    becomes(li, "busy")
    shows(li, "waiting")
    li.locator(".panes").hover(position={"x": 600, "y": 300})
    comes(place, "先来的一位")
    expect(row(li, "先来的一位")).to_be_visible(timeout=LONG)
    row(li, "先来的一位").hover()
    comes(place, "后来的一位")
    expect(li.locator(".changed")).to_be_visible(timeout=LONG)
    assert li.locator(".row[aria-posinset='1']").inner_text().count("先来的一位") == 1
    li.mouse.move(700, 300)
    expect(li.locator(".changed")).to_be_hidden()
    expect(row(li, "后来的一位")).to_be_visible()
    for words in ("先来的一位", "后来的一位"):
        takes(li, words)
        closes(li)


def test_an_emergency_lies_over_every_page_until_somebody_looks_after_it(place, li, wang):
    for page in (li, wang):
        becomes(page, "busy")
    li.locator(".views [data-view=waiting]").focus()
    comes(place, "煤气泄漏了快来人")
    boxes = [page.locator("dialog.emergency") for page in (li, wang)]
    for box in boxes:
        expect(box).to_contain_text("煤气", timeout=LONG)
    look(li, "alert")
    assert violations(li) == []
    li.keyboard.press("Escape")
    li.keyboard.press("Enter")
    expect(boxes[0]).to_be_visible()
    li.keyboard.press("Tab")
    li.keyboard.press("Tab")
    expect(boxes[0].get_by_role("button", name="我来处理")).to_be_focused()
    li.keyboard.press("Enter")
    for box in boxes:
        expect(box).to_have_count(0, timeout=LONG)
    expect(wang.locator(".toast")).to_contain_text("小李", timeout=LONG)
    expect(line(li, "煤气泄漏")).to_have_count(1, timeout=LONG)
    expect(line(li, "小李已处理警报")).to_have_count(1, timeout=LONG)
    shows(li, "waiting")
    takes(li, "煤气泄漏")
    closes(li)


def test_who_is_called_in_a_note_by_his_initials_is_told_at_once(place, li, wang):
    for page in (li, wang):
        becomes(page, "busy")
    comes(place, "公园长椅坏了")
    shows(li, "waiting")
    takes(li, "公园长椅坏了")
    li.locator("div.talk h2").focus()
    li.keyboard.press("n")
    li.keyboard.type("@xw", delay=50)
    expect(li.locator(".mentions li")).to_have_text("小王", timeout=LONG)
    look(li, "mention")
    li.keyboard.press("Enter")
    li.keyboard.type("归园林局吗")
    li.keyboard.press("Control+Enter")
    called = wang.locator(".alert", has_text="小李在备注里提到您")
    expect(called).to_be_visible(timeout=LONG)
    wang.reload()
    expect(called).to_be_visible(timeout=LONG)
    look(wang, "mentioned")
    called.get_by_role("button", name="打开").click()
    expect(line(wang, "归园林局吗")).to_have_count(1, timeout=LONG)
    expect(called).to_have_count(0, timeout=LONG)
    closes(li)


def test_a_password_is_changed_and_a_second_factor_set_up_in_the_page(place):
    page = place.enters("xiaozhao")
    page.locator("button.who").click()
    look(page, "account")
    assert violations(page) == []
    page.get_by_role("button", name="改密码").click()
    for label, words in (
        ("现在的密码", "wrong"),
        ("新密码（至少12位）", "short"),
        ("再写一次新密码", "short"),
    ):
        page.get_by_label(label, exact=True).fill(words)
    page.keyboard.press("Enter")
    expect(page.locator("#account-new-fault")).to_contain_text("12")
    for label in ("新密码（至少12位）", "再写一次新密码"):
        page.get_by_label(label, exact=True).fill("another-long-password")
    page.keyboard.press("Enter")
    expect(page.locator("#account-old-fault")).to_contain_text("不对", timeout=LONG)
    look(page, "password")
    assert violations(page) == []
    page.get_by_label("现在的密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("密码改好了", timeout=LONG)
    expect(page.locator(".link")).to_have_text("已连接", timeout=LONG)
    page.locator("button.who").click()
    page.get_by_role("button", name="启用动态验证码").click()
    expect(page.locator(".qr")).to_be_visible(timeout=LONG)
    page.get_by_label("应用显示的6位数字").fill("abcdef")
    page.get_by_label("现在的密码").fill("another-long-password")
    page.keyboard.press("Enter")
    expect(page.locator("#account-code-fault")).to_contain_text("不对", timeout=LONG)
    look(page, "totp")
    assert violations(page) == []
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.get_by_label("应用显示的6位数字").fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("动态验证码启用了", timeout=LONG)
    page.context.close()
    page = place.page()
    logs_in(page, "xiaozhao", "another-long-password")
    expect(page.get_by_label("动态验证码")).to_be_focused(timeout=LONG)
    page.context.close()


def test_a_supervisor_acts_from_the_wall(place, li, zhou):
    for page in (li, zhou):
        becomes(page, "busy")
    comes(place, "水管爆裂")
    shows(zhou, "waiting")
    zhou.keyboard.press("w")
    one = zhou.locator(".floor li", has_text="水管爆裂")
    one.get_by_role("button", name="优先").click()
    expect(zhou.locator(".toast")).to_have_text("已提到前面", timeout=LONG)
    one.get_by_role("button", name="指派").click()
    to = zhou.locator("#give-to option", has_text="小李").get_attribute("value")
    zhou.locator("#give-to").select_option(to)
    look(zhou, "assign")
    assert violations(zhou) == []
    zhou.locator("dialog").get_by_role("button", name="指派").click()
    look(zhou, "assigned")
    expect(one).to_contain_text("接待中 · 小李", timeout=LONG)
    becomes(li, "away")
    comes(place, "路灯全灭")
    other = zhou.locator(".floor li", has_text="路灯全灭")
    other.get_by_role("button", name="指派").click(timeout=LONG)
    zhou.locator("#give-to").select_option(to)
    zhou.locator("dialog").get_by_role("button", name="指派").click()
    expect(zhou.locator("dialog .fault")).to_have_text("对方设为离开。仍要指派，请再确认。", timeout=LONG)
    look(zhou, "assign-doubted")
    assert violations(zhou) == []
    zhou.locator("dialog").get_by_role("button", name="仍要指派").click()
    expect(other).to_contain_text("接待中 · 小李", timeout=LONG)
    becomes(li, "busy")
    one.get_by_role("button", name="耳语").click()
    zhou.get_by_label("写给小李").fill("先问有没有人受伤")
    zhou.locator("dialog").get_by_role("button", name="发送").click()
    expect(zhou.locator(".toast")).to_have_text("已告诉座席", timeout=LONG)
    shows(li, "mine")
    row(li, "水管爆裂").click()
    expect(line(li, "先问有没有人受伤")).to_have_count(1, timeout=LONG)
    for _ in range(3):
        li.get_by_role("button", name="滥用标记").click()
        li.get_by_label("情形").select_option("insult")
        li.get_by_label("说明").fill("多次辱骂")
        li.locator("dialog").get_by_role("button", name="标记", exact=True).click()
        expect(li.locator("dialog")).to_have_count(0, timeout=LONG)
    asked = zhou.locator(".ladder li", has_text="等待同意")
    asked.get_by_role("button", name="同意", exact=True).click(timeout=LONG)
    zhou.locator("dialog .main").click()
    expect(zhou.locator("#decide-fault")).to_contain_text("理由")
    look(zhou, "decide")
    assert violations(zhou) == []
    zhou.get_by_label("理由").fill("证据清楚")
    zhou.locator("dialog .main").click()
    expect(zhou.locator(".ladder li", has_text="限制文字服务")).to_contain_text("自动解除", timeout=LONG)
    look(zhou, "ladder")
    assert violations(zhou) == []
    one.get_by_role("button", name="接管").click()
    expect(one).to_contain_text("接待中 · 老周", timeout=LONG)
    zhou.keyboard.press("w")
    shows(zhou, "mine")
    row(zhou, "水管爆裂").click()
    closes(zhou)


def test_an_act_on_a_case_asks_for_what_the_rules_want(place, li):
    openid = f"oCitizen{next(_numbers)}"
    place.follows(openid)
    place.citizen(
        openid, "东岳大街88号夜里施工噪声扰民睡不着，我叫李四，电话13812345678", "1", "0", "还在施工"
    )
    takes(li, "还在施工")
    li.locator(".case .acts").get_by_role("button", name="不予受理").click(timeout=LONG)
    box = li.locator("dialog")
    expect(box.locator("#act-code option").first).to_have_text("诉讼")
    box.locator("#act-code").select_option("R09")
    box.get_by_role("button", name="确定").click()
    expect(box.get_by_role("alert")).to_have_text("请填写：理由")
    look(li, "act")
    assert violations(li) == []
    box.locator("#act-reason").fill("由市场途径解决，请拨打12315")
    box.get_by_role("button", name="确定").click()
    expect(li.locator("div.case")).to_contain_text("不予受理", timeout=LONG)
    expect(box).to_have_count(0)
    closes(li)


def test_the_whole_course_by_keyboard_alone(place, li):
    comes(place, "井盖丢了很危险")
    expect(li.locator(".offer").first).to_be_visible(timeout=LONG)
    li.keyboard.press("a")
    expect(li.locator("#reply")).to_be_focused(timeout=LONG)
    li.keyboard.type("jkaen？")
    expect(li.locator("#reply")).to_have_value("jkaen？")
    li.keyboard.press("Control+A")
    li.keyboard.press("Delete")
    li.keyboard.press("Escape")
    li.keyboard.press("Control+k")
    li.keyboard.type("bz")
    expect(li.locator("#found li").first).to_contain_text("备注")
    look(li, "command")
    li.keyboard.press("Enter")
    expect(li.get_by_label("内部备注")).to_be_focused()
    li.keyboard.type("路口有学校")
    li.keyboard.press("Control+Enter")
    expect(li.locator(".line.note", has_text="路口有学校")).to_have_count(1, timeout=LONG)
    li.keyboard.press("Escape")
    li.keyboard.press("?")
    expect(li.locator("dialog")).to_contain_text("快捷键")
    look(li, "help")
    li.keyboard.press("Escape")
    li.keyboard.press("/")
    expect(li.locator("#sought")).to_be_focused()
    li.keyboard.press("Escape")
    expect(li.locator("#queue-list")).to_be_focused()
    li.keyboard.press("e")
    expect(li.locator(".toast")).to_have_text("已结束", timeout=LONG)


COMPOSING = """key => document.activeElement.dispatchEvent(
    new KeyboardEvent('keydown', {key, keyCode: 229, isComposing: true, bubbles: true, cancelable: true}))"""


def test_no_key_is_a_shortcut_while_an_input_method_composes(place, li):
    li.locator("#queue-list").evaluate("list => (document.activeElement.blur(), list)")
    for key in ("?", "/", "w", "a"):
        li.evaluate(COMPOSING.replace("document.activeElement", "document.body"), key)
    assert li.locator("dialog").count() == 0
    assert li.evaluate("document.activeElement.id") != "sought"


def test_the_supervisors_wall_shows_who_waits_and_who_is_there(place, li, zhou):
    zhou.keyboard.press("w")
    expect(zhou.locator(".figures")).to_contain_text("排队", timeout=LONG)
    expect(zhou.locator(".wall")).to_contain_text("小李", timeout=LONG)
    look(zhou, "wall")
    assert violations(zhou) == []
    zhou.keyboard.press("w")
    expect(zhou.locator(".panes")).to_be_visible()


def test_the_service_is_rated_on_the_phone_and_the_wall_counts_it(place, li, zhou):
    becomes(zhou, "busy")
    who = comes(place, "公交车总是晚点")
    takes(li, "公交车总是晚点")
    says(li, "已经转给公交公司了")
    closes(li)
    hears(place, zhou, who, "请为这次服务评价")
    place.citizen(who, "4")
    hears(place, zhou, who, "感谢您的评价“满意”")
    zhou.keyboard.press("w")
    expect(zhou.locator(".figures")).to_contain_text("100%（1/1）", timeout=LONG)
    look(zhou, "wall-rated")


PANES = {
    "upright-dark": (UPRIGHT, {"color_scheme": "dark", "has_touch": True}),
}


@pytest.mark.parametrize("pane", list(PANES))
def test_axe_finds_nothing_in_any_pane(place, pane):
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python hatch_build.py tests")
    size, more = PANES[pane]
    page = place.enters("xiaoli", size, **more)
    # Who is busy is offered nothing that would lapse while the page is looked at.
    becomes(page, "busy")
    shows(page, "waiting")
    who = comes(place, f"看一看{pane}")
    expect(row(page, f"看一看{pane}")).to_be_visible(timeout=LONG)
    found = {}

    def see(name: str) -> None:
        look(page, f"{pane}-{name}")
        if wrong := violations(page):
            found[name] = wrong

    see("queue")
    takes(page, f"看一看{pane}")
    says(page, "您好，我来处理")
    place.citizen(who, "谢谢")
    expect(line(page, "谢谢")).to_have_count(1, timeout=LONG)
    see("talk")
    if size is UPRIGHT:
        page.locator(".tabs").get_by_role("button", name="工单").click()
        see("case")
        page.locator(".tabs").get_by_role("button", name="对话").click()
    for keys, name in (("Control+k", "command"), ("Control+m", "canned"), ("t", "transfer"), ("?", "help")):
        page.locator("div.talk h2").focus()
        page.keyboard.press(keys)
        expect(page.locator("dialog")).to_be_visible()
        see(name)
        page.keyboard.press("Escape")
    closes(page)
    becomes(page, "online")
    page.context.close()
    assert found == {}


def test_a_macro_acts_after_its_reply_was_sent_and_not_before(place, li):
    who = comes(place, "电梯按钮失灵")
    takes(li, "电梯按钮失灵")
    li.keyboard.press("Control+m")
    li.keyboard.type("久未回复")
    expect(li.locator(".preview")).to_contain_text("结束对话", timeout=LONG)
    li.keyboard.press("Enter")
    expect(li.locator(".after")).to_contain_text("结束对话")
    expect(li.locator("div.talk .about")).to_contain_text("接待中")
    li.locator("#reply").fill("")
    expect(li.locator(".after")).to_be_hidden()
    li.keyboard.press("Control+m")
    li.keyboard.type("久未回复")
    expect(li.locator(".preview")).to_contain_text("结束对话", timeout=LONG)
    li.keyboard.press("Enter")
    li.keyboard.press("Control+Enter")
    expect(li.locator("div.talk .about")).to_contain_text("已结束", timeout=LONG)
    hears(place, li, who, "一直没有等到您的回复")


def test_the_wall_says_how_many_talks_it_does_not_show_and_shows_them(place, zhou):
    rows = [faked(n, f"第{n}位") | {"state": "queued"} for n in range(130)]

    def page_of(route):
        at = int(re.findall(r"after=(\d+)", route.request.url)[0])
        after = str(at + 100) if at + 100 < len(rows) else None
        many = {"items": rows[at : at + 100], "counts": {"all": len(rows)}, "cursor": "0", "after": after}
        route.fulfill(json=many)

    zhou.route("**/desk/api/queue?view=all&after=*", page_of)
    zhou.keyboard.press("w")
    expect(zhou.locator(".floor li")).to_have_count(100, timeout=LONG)
    zhou.get_by_role("button", name="还有30个没有显示，再看30个").click()
    expect(zhou.locator(".floor li")).to_have_count(130, timeout=LONG)
    expect(zhou.get_by_role("button", name=re.compile("没有显示"))).to_have_count(0)
    assert violations(zhou) == []


def held_back_by(kept: list):
    def keep(route):
        kept.append(route)

    return keep


def held(page: Page) -> None:
    expect(page.get_by_role("button", name=re.compile("^结束"))).to_be_visible(timeout=LONG)


def hears(place: Town, page: Page, who: str, words: str) -> None:
    """Wait until a citizen's phone shows some words."""
    for _ in range(LONG // 200):
        if words in place.heard(who):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{words} was not heard: {place.heard(who)}")


def closes(page: Page) -> None:
    """End the open talk, so that its agent has room again."""
    page.get_by_role("button", name=re.compile("^结束")).click()
    expect(page.locator(".toast")).to_have_text("已结束", timeout=LONG)


def faked(number: int, words: str) -> dict:
    """A row as the gateway would answer it."""
    return json.loads(
        json.dumps(
            {
                "id": f"{number:032x}",
                "channel": "wechat",
                "name": f"市民{number}",
                "urgent": False,
                "elderly": False,
                "skill": "",
                "state": "bot",
                "held": False,
                "agent": None,
                "since": "2026-11-26T09:00:00+08:00",
                "waiting_since": None,
                "offer_until": None,
                "last": {"who": "citizen", "text": words, "at": "2026-11-26T09:00:00+08:00"},
                "unread": 0,
                "case_no": None,
                "repeat": 1,
                "draft": False,
                "viewers": [],
                "sla": None,
                "epoch": 0,
                "version": 0,
            }
        )
    )
