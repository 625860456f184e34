"""Single sign-on in a real browser, before a provider that others wrote: in by its button, out at both."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from tests.kit.chromium import chromium
from tests.kit.deskpage import AXE, LAPTOP, OPEN, PASSWORD, hired, logs_in, look, violations
from tests.kit.oidc import known, stranger
from tests.kit.ports import free_port
from tests.kit.process import configure, jiesu, served

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A gateway, its provider with two people, and a maker of pages."""
    folder, port = tmp_path_factory.mktemp("sso"), free_port()
    site = f"http://127.0.0.1:{port}"
    with chromium() as browser, stranger() as issuer:
        known(issuer, "001", preferred_username="xiaoli@city.gov.cn", name="小李")
        known(issuer, "002", preferred_username="stranger@city.gov.cn")
        config = configure(folder, f"sqlite:///{folder}/jiesu.sqlite3")
        config.write_text(f'public_url = "{site}"\n{config.read_text()}')
        with config.open("a") as written:
            written.write(
                f'{OPEN}[desk.oidc]\nissuer = "{issuer}"\nclient_id = "jiesu-desk"\nclient_secret = "secret"\n'
                'domain = "city.gov.cn"\nbutton = "用政务云统一认证登录"\ncontact = "信息中心 0538-1234567"\n'
            )
        with ThreadPoolExecutor(1) as pool:
            passwords = pool.submit(asyncio.run, hired(config)).result()
        with served(config, port) as (_, gateway):
            errors = []

            def page() -> Page:
                opened = browser.new_context(viewport=LAPTOP, base_url=gateway, locale="zh-CN").new_page()
                opened.on("pageerror", lambda error: errors.append(str(error)))
                if AXE.is_file():
                    opened.add_init_script(path=AXE)
                opened.goto("/desk")
                return opened

            yield page, config, passwords
            assert errors == []


def test_in_by_the_button_and_out_at_both(place):
    page = place[0]()
    button = page.get_by_role("link", name="用政务云统一认证登录")
    expect(button).to_be_focused()
    assert violations(page) == []
    look(page, "sso-login")
    button.click()
    _proves(page, "001")
    expect(page.locator(".link")).to_have_text("已连接")
    expect(page).to_have_url(re.compile("/desk$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("tcdl")
    expect(page.locator("#found li").first).to_contain_text("退出登录")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="End Session")).to_be_visible()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("link", name="用政务云统一认证登录")).to_be_visible()
    page.context.close()


def test_who_has_no_account_is_told_whom_to_ask(place):
    page = place[0]()
    page.get_by_role("link", name="用政务云统一认证登录").click()
    _proves(page, "002")
    expect(page.get_by_role("heading", name="您还没有座席账号")).to_be_visible()
    expect(page.get_by_text("信息中心 0538-1234567")).to_be_visible()
    assert violations(page) == []
    look(page, "sso-unknown")
    page.get_by_role("link", name="返回登录").click()
    expect(page.get_by_role("link", name="用政务云统一认证登录")).to_be_visible()
    page.context.close()


def test_who_cancels_there_is_told_so_here(place):
    page = place[0]()
    page.get_by_role("link", name="用政务云统一认证登录").click()
    page.get_by_role("button", name="Deny").click()
    # This provider leaves the state away then, so nobody knows which login was cancelled.
    expect(page.get_by_role("heading", name="这次登录已经失效")).to_be_visible()
    page.context.close()


def test_a_session_that_ends_leaves_the_page_as_it_is_while_somebody_logs_in_beside_it(place):
    page = place[0]()
    page.get_by_role("link", name="用政务云统一认证登录").click()
    _proves(page, "001")
    expect(page.locator(".link")).to_have_text("已连接")
    page.evaluate("window.written = 'what stood there'")
    page.context.clear_cookies()
    # Whichever asks first finds it out, this or the page by itself: its login stands before all.
    page.get_by_role("button", name=re.compile("排队")).first.dispatch_event("click")
    button = page.get_by_role("link", name="用政务云统一认证登录")
    expect(button).to_be_visible()
    look(page, "sso-again")
    with page.context.expect_page() as opened:
        button.click()
    other = opened.value
    _proves(other, "001")
    expect(other.locator(".link")).to_have_text("已连接")
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(button).to_be_hidden()
    assert page.evaluate("window.written") == "what stood there"
    page.context.close()


def test_the_password_still_opens_beside_it(place):
    page = place[0]()
    logs_in(page, "xiaowang", place[2]["xiaowang"])
    page.get_by_label("新密码（至少12位）").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".link")).to_have_text("已连接")
    page.context.close()


def test_the_doctor_asks_the_provider(place):
    found = {each["what"]: each for each in jiesu(place[1], "doctor") if "单点登录" in each["what"]}
    assert any("签发者一致，公钥 1 把" in each for each in found)
    assert any("时钟与统一认证一致" in each for each in found)


def _proves(page: Page, sub: str) -> None:
    """Say who one is, at the provider."""
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize").click()
