"""The newcomer's five minutes, in a real browser on the demo's phone."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from tests.kit import media
from tests.kit.chromium import chromium, demo
from tests.kit.ports import free_port
from tests.kit.process import configure, served

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]


def say(page: Page, text: str, answer: str) -> str:
    before = page.locator("#chat li.account").count()
    page.get_by_placeholder("说点什么").fill(text)
    page.get_by_role("button", name="发送").click()
    reply = page.locator("#chat li.account").nth(before)
    expect(reply).to_contain_text(answer)
    return reply.inner_text()


def test_a_newcomer_reports_follows_urges_and_calls_a_person(phone):
    phone.get_by_role("button", name="关注").click()
    expect(phone.locator("#chat")).to_contain_text("智能客服，24小时在线")
    say(phone, "泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678", "请核对")
    done = say(phone, "1", "查询码")
    number = re.search(r"单号(\d{17})", done).group(1)
    assert re.search(r"查询码\d{6}", done)
    expect(phone.locator("#cases")).to_contain_text(number)
    assert "已受理" in say(phone, "查进度", number[-7:])
    say(phone, "催办", "第1次")
    for step in ("派单", "签收", "答复", "办结"):
        phone.get_by_role("button", name=f"推进一步：{step}").click()
        expect(phone.locator("#said")).to_contain_text(step)
    expect(phone.locator("#chat")).to_contain_text("请评价")
    say(phone, "5", "非常满意")
    say(phone, "0", "转人工，前面还有0人")
    look(phone, "wechat")


def test_a_matter_is_reported_by_customer_service(phone):
    phone.get_by_label("我是").select_option(label="张阿姨")
    phone.get_by_role("button", name="微信客服").click()
    expect(phone.locator("#chat")).to_contain_text("智能客服，24小时在线")
    expect(phone.locator("#chat li.account small").first).to_have_text("欢迎语")
    expect(phone.get_by_role("group", name="公众号菜单")).to_be_hidden()
    say(phone, "泰山区东岳大街90号门前井盖丢失很危险，我叫李四，电话13812345678", "请核对")
    number = re.search(r"单号(\d{17})", say(phone, "1", "查询码")).group(1)
    expect(phone.locator("#cases")).to_contain_text(number)
    look(phone, "wechat-kf")
    phone.get_by_role("button", name="微信", exact=True).click()


def test_the_guided_dialogue_leads_to_a_case(phone):
    phone.get_by_label("我是").select_option(label="李先生")
    phone.get_by_role("button", name="关注").click()
    expect(phone.locator("#chat")).to_contain_text("智能客服")
    phone.get_by_role("button", name="反映问题").click()
    expect(phone.locator("#chat")).to_contain_text("请描述发生了什么事")
    course = [
        ("人民路的井盖丢了，晚上骑车很危险", "什么时候发生的"),
        ("2", "怎样解决"),
        ("尽快补上", "称呼和手机号"),
        ("李先生 13912345678", "怎样告诉您"),
        ("1", "照片、视频"),
        ("2", "请核对"),
        ("1", "查询码"),
    ]
    for text, answer in course:
        say(phone, text, answer)
    expect(phone.locator("#cases")).to_contain_text("人民路的井盖丢了")


ANSWERED = """async () => {
  const { counts } = await (await fetch('/_sim/state')).json();
  return (counts.silent ?? 0) + (counts.passive ?? 0);
}"""
"""How many messages the account has answered or acknowledged so far."""


def answered(page: Page, before: int) -> None:
    """Wait until one more message was answered or acknowledged."""
    for _ in range(200):
        if page.evaluate(ANSWERED) > before:
            return
        page.wait_for_timeout(100)
    pytest.fail("no answer")


def test_a_matter_is_reported_by_photo_film_recording_place_and_code(phone, tmp_path):
    phone.get_by_label("我是").select_option(label="赵师傅")
    chat = phone.locator("#chat")
    phone.get_by_role("button", name="扫码").click()
    expect(chat).to_contain_text("岱庙广场”的二维码")
    files = {
        "hole.jpg": media.photo(),
        "hole.mp4": media.film(),
        "word.amr": media.voice("amr", "libopencore_amrnb", rate=8_000),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        before = phone.evaluate(ANSWERED)
        phone.locator("#file").set_input_files(tmp_path / name)
        answered(phone, before)
        expect(phone.locator("#chat li.citizen").last).to_contain_text(
            {"jpg": "照片", "mp4": "视频", "amr": "录音"}[name[-3:]]
        )
    expect(chat).to_contain_text("已收到")
    before = phone.evaluate(ANSWERED)
    phone.get_by_role("button", name="发位置").click()
    answered(phone, before)
    for text, answer in (
        ("广场南门井盖丢失，行人很容易掉下去", "什么时候发生的"),
        ("2", "怎样解决"),
        ("尽快补上", "称呼和手机号"),
        ("赵师傅 13612345678", "怎样告诉您"),
        ("1", "请核对"),
        ("1", "查询码"),
    ):
        phone.get_by_placeholder("说点什么").fill(text)
        phone.get_by_role("button", name="发送").click()
        expect(phone.locator("#chat li.account").last).to_contain_text(answer)
    done = phone.locator("#chat li.account").last.inner_text()
    number = re.search(r"单号(\d{17})", done).group(1)
    expect(phone.locator("#cases")).to_contain_text(number)
    look(phone, "wechat-files")


def test_a_question_is_answered_from_the_example_entries(phone):
    phone.get_by_label("我是").select_option(label="王女士")
    phone.get_by_role("button", name="关注").click()
    expect(phone.locator("#chat")).to_contain_text("智能客服，24小时在线")
    say(phone, "公积金怎么提取", "来源：示例")
    say(phone, "1", "很高兴帮到您")
    say(phone, "人民路的路灯坏了三盏", "什么时候发生的")


def test_the_same_citizen_reports_by_text(phone):
    phone.get_by_label("我是").select_option(label="王女士")
    phone.get_by_role("button", name="短信").click()
    write(phone, "泰山区青年路中段的路灯坏了好几盏，晚上看不见路")
    expect(phone.locator("#chat")).to_contain_text("怎么称呼您")
    write(phone, "王女士")
    expect(phone.locator("#chat")).to_contain_text("查询码")
    expect(phone.locator("#cases")).to_contain_text("路灯坏了好几盏")
    write(phone, "CX")
    expect(phone.locator("#chat li").last).to_contain_text("已受理")
    look(phone, "sms")


def test_a_letter_is_answered_once_and_opens_a_case(phone):
    phone.get_by_role("button", name="邮件").click()
    phone.get_by_placeholder("主题").fill("小区门口积水")
    write(phone, "您好：\n岱岳区阳光花园小区东门一下雨就积水，请修一修排水。\n王女士 13912345678")
    expect(phone.locator("#chat")).to_contain_text("您的来信已收到")
    number = re.search(r"单号：(\d{17})", phone.locator("#chat").inner_text()).group(1)
    expect(phone.locator("#cases")).to_contain_text(number)
    write(phone, "补充：昨天又淹了。")
    expect(phone.locator("#chat")).to_contain_text("您的补充已记入诉求")
    look(phone, "mail")


def write(page: Page, text: str) -> None:
    page.get_by_placeholder("说点什么").fill(text)
    page.get_by_role("button", name="发送").click()


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("JIESU_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_the_page_runs_nothing_that_is_not_its_own(phone):
    assert phone.errors == []


def test_the_same_phone_before_a_gateway_of_its_own(database, browser, tmp_path):
    port = free_port()
    config = configure(tmp_path, database, f"http://127.0.0.1:{port}")
    with (
        served(config) as (_, gateway),
        demo("--port", str(port), "--gateway-url", gateway, "--config", str(config)) as played,
    ):
        page = opened(browser, played.phone)
        page.get_by_role("button", name="关注").click()
        expect(page.locator("#chat")).to_contain_text("智能客服，24小时在线")
        say(page, "泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678", "请核对")
        number = re.search(r"单号(\d{17})", say(page, "1", "查询码")).group(1)
        expect(page.locator("#cases")).to_contain_text(number)
        assert "已受理" in say(page, "查进度", number[-7:])
        say(page, "催办", "第1次")
        say(page, "0", "转人工，前面还有0人")
        assert page.errors == []
        page.close()


def opened(browser, address) -> Page:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.goto(address)
    return page


@pytest.fixture(scope="module")
def phone(browser):
    with demo("--port", "0") as played:
        yield opened(browser, played.phone)


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened
