"""Every pane, dialog and state of the desk, one after the other in one page: each is pictured, measured and read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Page, expect

from tests.kit.deskpage import LAPTOP, PASSWORD, TABLET, UPRIGHT, Town, look, row, violations
from tests.kit.media import film, pdf, photo, voice

LONG = 60_000
"""Milliseconds to wait for what is shown."""
CHINESE = re.compile("[一-鿿]+")
CONTENT = (
    ".row .words, .line:not(.happened) .said, .line .by, .summary, .history button, .history p, #found, .preview, .number, "
    ".case strong, .offer .words, .floor .words, .alert span, .ladder, .views, .mentions, .attached, textarea, .warned, .who, #heard, .beside dd"
)
"""Where words of citizens and of the hotline itself stand, which nobody translates."""
NAMES = re.compile("小李|小王|小赵|老周|中文")
_LEFT = """content => {
    const copy = document.body.cloneNode(true);
    for (const each of copy.querySelectorAll(content)) each.remove();
    for (const each of copy.querySelectorAll('script, noscript, [hidden], optgroup[label]')) each.remove();
    const said = [...copy.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap(
        each => ['aria-label', 'title', 'placeholder'].map(name => each.getAttribute(name) ?? ''));
    return [copy.textContent, ...said].join('\\n');
}"""


@dataclass
class Gallery:
    """Looks at one page in one language; ``found`` is what was wrong, by the name of the picture."""

    page: Page
    lang: str
    found: dict[str, list[str]] = field(default_factory=dict)

    def see(self, name: str, *, narrow: bool = True, dark: bool = False) -> None:
        """Look at what is there: on a laptop with axe, on a tablet both ways for what is cut off, in the dark for contrast.

        What axe asks of a page is the same in both languages: it is asked once.
        """
        name = f"{self.lang}-{name}"
        look(self.page, name)
        wrong = violations(self.page) if self.lang == "zh" else self._untranslated()
        if narrow:
            for word, size in (("tablet", TABLET), ("upright", UPRIGHT)):
                self.page.set_viewport_size(size)
                look(self.page, f"{name}-{word}")
                wrong += [f"{word}: {each}" for each in cut(self.page)]
            self.page.set_viewport_size(LAPTOP)
        if dark and self.lang == "zh":
            self.page.emulate_media(color_scheme="dark")
            look(self.page, f"{name}-dark")
            wrong += [f"dark: {each}" for each in violations(self.page, "color-contrast")]
            self.page.emulate_media(color_scheme="light")
        if wrong:
            self.found[name] = wrong

    def says(self, zh: str, en: str) -> str:
        """Return what is written on the page, by its language."""
        return en if self.lang == "en" else zh

    def press(self, zh: str, en: str, inside: str = "body") -> None:
        """Press the button of a name."""
        name = re.compile(f"^{re.escape(self.says(zh, en))}")
        self.page.locator(inside).first.get_by_role("button", name=name).first.click()

    def enters(self, password: str) -> None:
        """Fill in the login that lies over the page."""
        self.page.locator("#login-login").fill("xiaoli")
        self.page.locator("#login-password").fill(password)
        self.page.locator(".loginbox [type=submit]").click()

    def shut(self) -> None:
        """Close the dialog that is open."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator("dialog")).to_have_count(0)

    def _untranslated(self) -> list[str]:
        left = NAMES.sub("", self.page.evaluate(_LEFT, CONTENT))
        return [f"not English: {words}" for words in CHINESE.findall(left)]


def cut(page: Page) -> list[str]:
    """Return what reaches over the edge of the screen, and buttons whose words do not fit."""
    return page.evaluate("""() => {
        const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        const narrow = [...document.querySelectorAll('button, .badge, label')].filter(each => each.offsetParent && !each.classList.contains('hidden')
            && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflow === 'hidden');
        return [...(wide > 0 ? [`${wide} pixels too wide`] : []), ...narrow.map(each => `cut: ${each.textContent}`)];
    }""")


def in_language(page: Page, lang: str) -> Gallery:
    """Choose the language of a page."""
    if lang == "en":
        page.get_by_role("button", name="English").click()
        expect(page.locator("h1")).to_have_text("Jiesu desk")
        expect(page.locator(".link")).to_have_text("Connected")
    return Gallery(page, lang)


def comes(town: Town, openid: str, *words: str) -> None:
    """Let a citizen ask for a person and say something."""
    town.follows(openid)
    town.citizen(openid, "0", *words)


def opens(gallery: Gallery, words: str) -> None:
    """Open the talk in whose row some words stand."""
    expect(row(gallery.page, words)).to_be_visible(timeout=LONG)
    row(gallery.page, words).click()
    expect(gallery.page.locator(".line .said", has_text=words).first).to_be_visible(timeout=LONG)


def the_queue(town: Town, gallery: Gallery) -> str:
    """Look at empty lists, and at citizens who wait; return who sent a part of every kind."""
    page = gallery.page
    page.locator("#state").select_option("busy")
    gallery.see("empty")
    who = f"oLooks{gallery.lang}"
    page.locator(".views [data-view=waiting]").click()
    comes(town, who)
    # What comes before he is in the queue is the bot's.
    expect(page.locator("#queue-list .row")).to_have_count(1, timeout=LONG)
    town.citizen(who, "你好", f"东岳大街88号门前井盖丢了{gallery.lang}", "电话13812345678，我叫李四")
    town.shows(who, "image", photo(), "image/jpeg")
    town.shows(who, "voice", voice("amr", "libopencore_amrnb", rate=8000), "audio/amr")
    town.shows(who, "video", film(), "video/mp4")
    town.stands(who, 117.128, 36.195, "泰安市泰山区东岳大街88号")
    comes(town, f"oOther{gallery.lang}", f"小区北门的路灯晚上不亮已经一个多星期了没有人修{gallery.lang}")
    expect(row(page, f"小区北门的路灯晚上不亮已经一个多星期了没有人修{gallery.lang}")).to_be_visible(
        timeout=LONG
    )
    expect(page.locator("#queue-list .row")).to_have_count(2, timeout=LONG)
    gallery.see("waiting", dark=True)
    return who


def the_talk(town: Town, gallery: Gallery, who: str) -> None:
    """Look at a talk with every kind of part, before and after it is taken, with what is written in it."""
    page = gallery.page
    page.locator(".row").first.click()
    expect(page.locator(".line.citizen").first).to_be_visible(timeout=LONG)
    gallery.see("untaken")
    page.keyboard.press("a")
    expect(page.locator("#reply")).to_be_focused(timeout=LONG)
    page.locator(".log").evaluate("log => log.scrollTo(0, 0)")
    gallery.see("talk-begins", dark=True)
    page.locator(".log").evaluate("log => log.scrollTo(0, log.scrollHeight)")
    gallery.see("talk")
    # He told it in the talk with people: it stands beside it as in the form.
    expect(page.locator(".beside section").first).to_contain_text("李四", timeout=LONG)
    page.locator("input[type=file]").set_input_files(
        {"name": "办事指南.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    expect(page.locator(".attached li")).to_have_text(re.compile("^办事指南.pdf×$"), timeout=LONG)
    gallery.see("attached")
    page.locator("#reply").fill("您好，请看附件，拨13900000000，别烦不烦")
    expect(page.locator(".warned p")).to_be_visible(timeout=LONG)
    gallery.see("warned", dark=True)
    page.locator("#reply").fill("您好，请看附件")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".line.agent")).to_have_count(2, timeout=LONG)
    gallery.see("sent")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("@")
    expect(page.locator(".mentions li").first).to_be_visible(timeout=LONG)
    gallery.see("note-mention", dark=True)
    page.keyboard.press("Escape")
    page.locator("#reply").fill("路口有学校")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".line.note")).to_be_visible(timeout=LONG)
    page.keyboard.press("Escape")


def the_tools(gallery: Gallery) -> None:
    """Look at all that opens over a talk."""
    page = gallery.page
    page.locator("div.talk h2").focus()
    page.keyboard.press("Control+m")
    page.keyboard.type("djwbbjs")
    expect(page.locator(".preview")).to_contain_text("感谢您的来访", timeout=LONG)
    gallery.see("macro", dark=True)
    page.keyboard.press("Enter")
    expect(page.locator(".after")).to_be_visible()
    expect(page.locator(".warned p")).to_be_visible(timeout=LONG)
    gallery.see("macro-chosen")
    page.locator("#reply").fill("")
    expect(page.locator(".after")).to_be_hidden()
    gallery.press("知识库", "Knowledge", ".composer")
    page.keyboard.type("公积金怎么提取")
    gallery.see("knowledge")
    gallery.shut()
    for keys, name in (("Control+k", "command"), ("t", "transfer"), ("?", "help"), ("p", "phone-case")):
        page.locator("div.talk h2").focus()
        page.keyboard.press(keys)
        expect(page.locator("dialog")).to_be_visible(timeout=LONG)
        gallery.see(name, dark=True)
        if name == "phone-case":
            gallery.press("建工单", "Open case", "dialog")
            expect(page.locator("dialog [aria-invalid=true]").first).to_be_focused(timeout=LONG)
            gallery.see("phone-case-faults", dark=True)
            told_by_phone(gallery)
        gallery.shut()
    page.locator("button.who").click()
    gallery.see("account")
    for zh, en, name in (
        ("改密码", "Change password", "password"),
        ("启用动态", "Set up the second", "factor"),
    ):
        if page.locator("dialog").count() == 0:
            page.locator("button.who").click()
        gallery.press(zh, en, "dialog")
        expect(page.locator("dialog input").first).to_be_focused(timeout=LONG)
        gallery.see(name, dark=True)
        gallery.shut()
    page.get_by_role("button", name=gallery.says("存为视图", "Save as view")).click()
    expect(page.locator("#view-name")).to_be_visible(timeout=LONG)
    gallery.see("view")
    gallery.shut()
    gallery.press("滥用标记", "Mark abuse", ".beside")
    gallery.see("abuse")
    gallery.shut()


def told_by_phone(gallery: Gallery) -> None:
    """Put the form right, and look at the number and the code that are to be read out."""
    form = gallery.page.locator("dialog .caseform")
    form.locator("textarea").fill("来电说小区停水两天了没有人管")
    form.locator(".kind select").select_option("02")
    form.locator(".category select").select_option("D01")
    form.locator(".place input").fill("东岳大街88号")
    form.locator(".phone input").fill("13812345678")
    gallery.press("建工单", "Open case", "dialog")
    expect(gallery.page.locator("dialog .number")).to_have_count(2, timeout=LONG)
    gallery.see("phone-case-told")


def the_case(gallery: Gallery) -> None:
    """Look at the form with what is known, with faults, and at the case that comes of it."""
    page = gallery.page
    form = page.locator(".pane.case .caseform")
    expect(form.locator("textarea")).to_have_value(re.compile("井盖丢了"), timeout=LONG)
    form.locator("textarea").fill("坏了")
    form.locator(".phone input").fill("123")
    gallery.press("建工单", "Open case", ".pane.case")
    expect(form.locator("[aria-invalid=true]").first).to_be_focused(timeout=LONG)
    page.locator(".tabs button").nth(2).evaluate("tab => tab.click()")
    gallery.see("form-faults", dark=True)
    form.locator("textarea").fill("东岳大街88号门前井盖丢了，晚上很危险")
    form.locator(".phone input").fill("13812345678")
    form.locator(".kind select").select_option("02")
    form.locator(".category select").select_option("D05")
    gallery.press("建工单", "Open case", ".pane.case")
    expect(page.locator(".case .number")).to_be_visible(timeout=LONG)
    gallery.see("case", dark=True)
    for each in page.locator(".case summary").all():
        each.click()
    gallery.see("case-opened")
    for zh, en, name in (("不予受理", "Reject", "reject"), ("受理", "Accept", "accept")):
        gallery.press(zh, en, ".case .acts")
        gallery.see(name)
        if name == "accept":
            gallery.press("确定", "OK", "dialog")
            expect(page.locator("dialog")).to_have_count(0, timeout=LONG)
        else:
            gallery.shut()
    gallery.press("派单", "Dispatch", ".case .acts")
    gallery.see("dispatch")
    gallery.press("确定", "OK", "dialog")
    told = gallery.says("请填写：承办单位", "Please fill in: Unit in charge")
    expect(page.locator("dialog .fault")).to_have_text(told, timeout=LONG)
    gallery.see("missing")
    gallery.shut()


def the_ends(gallery: Gallery) -> None:
    """Look at the list with a search, with many chosen, and at what undoes a merge; then end the talks."""
    page = gallery.page
    page.locator(".tabs button").nth(0).evaluate("tab => tab.click()")
    page.locator("#sought").fill("路灯")
    expect(page.locator("#queue-list .row")).to_have_count(1, timeout=LONG)
    gallery.see("search")
    page.locator("#sought").fill("没有这样的话")
    expect(page.locator("#queue-list .row")).to_have_count(0, timeout=LONG)
    gallery.see("search-none")
    page.locator("#sought").fill("")
    page.locator(".views [data-view=all]").click()
    expect(page.locator("#queue-list .row")).to_have_count(2, timeout=LONG)
    # By their ids: the list may change its order between two clicks.
    for each in page.locator("#queue-list .row").evaluate_all("rows => rows.map((row) => row.id)"):
        page.locator(f"#{each}").click(modifiers=["Control"])
    expect(page.locator(".bulk")).to_be_visible()
    gallery.see("bulk", dark=True)


def the_merge(gallery: Gallery) -> None:
    """Look at what undoes a merge, at a talk on hold and at the paperwork, and end all."""
    page = gallery.page
    gallery.press("合并", "Merge", ".bulk")
    expect(page.locator(".undobar")).to_be_visible(timeout=LONG)
    gallery.see("merged")
    gallery.press("撤回", "Undo", ".undobar")
    page.locator(".views [data-view=mine]").click()
    page.locator(".row").first.click()
    gallery.press("暂挂", "Hold", "div.talk .tools")
    expect(row(page, gallery.says("暂挂", "Hold"))).to_be_visible(timeout=LONG)
    gallery.see("held")
    gallery.press("整理", "Wrap up", "div.talk .tools")
    expect(page.locator("div.talk .about")).to_contain_text(
        gallery.says("整理中", "Wrapping up"), timeout=LONG
    )
    gallery.see("wrapping-up")
    page.locator("div.talk h2").focus()
    page.keyboard.press("e")
    expect(page.locator("#queue-list .row")).to_have_count(0, timeout=LONG)


def the_breaks(town: Town, gallery: Gallery) -> None:
    """Look at an offer, at words of danger, at a line that broke and at a session that ended."""
    page = gallery.page
    comes(town, f"oThird{gallery.lang}", "楼道里的灯坏了")
    page.locator("#state").select_option("online")
    expect(page.locator(".offer")).to_be_visible(timeout=LONG)
    gallery.see("offer", dark=True)
    page.keyboard.press("a")
    expect(page.locator("#reply")).to_be_focused(timeout=LONG)
    page.locator("#state").select_option("busy")
    town.citizen(f"oThird{gallery.lang}", "楼下着火了快来人")
    expect(page.locator("dialog.emergency")).to_be_visible(timeout=LONG)
    gallery.see("emergency", dark=True)
    page.locator("dialog.emergency .main").click()
    expect(page.locator("dialog")).to_have_count(0, timeout=LONG)
    page.locator("#reply").fill("正在为您联系消防")
    page.context.set_offline(True)
    expect(page.locator(".link.lost")).to_be_visible(timeout=LONG)
    gallery.see("lost", dark=True)
    page.context.set_offline(False)
    expect(page.locator(".link.open")).to_be_visible(timeout=LONG)
    page.context.clear_cookies()
    page.locator("#reply").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog.loginbox")).to_be_visible(timeout=LONG)
    gallery.see("expired", dark=True)
    gallery.enters("wrong")
    expect(page.locator(".loginbox .fault")).not_to_be_empty(timeout=LONG)
    gallery.see("login-wrong", dark=True)
    gallery.enters(PASSWORD)
    expect(page.locator("dialog")).to_have_count(0, timeout=LONG)


def the_wall(gallery: Gallery) -> None:
    """Look at the supervisor's wall, and at what opens over it."""
    page = gallery.page
    page.locator("#state").select_option("busy")
    page.keyboard.press("w")
    expect(page.locator(".floor li").first).to_be_visible(timeout=LONG)
    gallery.see("wall", dark=True)
    for zh, en, name in (("指派…", "Assign…", "assign"), ("耳语…", "Whisper…", "whisper")):
        gallery.press(zh, en, ".floor")
        expect(page.locator("dialog")).to_be_visible(timeout=LONG)
        gallery.see(name)
        gallery.shut()
    page.keyboard.press("w")
    page.locator(".views [data-view=all]").click()
    page.locator(".row").first.click()
    for _ in range(3):
        gallery.press("滥用标记", "Mark abuse", ".beside")
        gallery.press("标记", "Mark", "dialog")
        expect(page.locator("dialog")).to_have_count(0, timeout=LONG)
    page.keyboard.press("w")
    expect(page.locator(".ladder .badge").first).to_be_visible(timeout=LONG)
    gallery.see("ladder", dark=True)
    gallery.press("解除", "Lift", ".ladder")
    gallery.press("解除", "Lift", "dialog")
    expect(page.locator("#decide-fault")).not_to_be_empty()
    gallery.see("decide", dark=True)
    page.locator("#decide-why").fill("没有辱骂")
    gallery.press("解除", "Lift", "dialog")
    expect(page.locator("dialog")).to_have_count(0, timeout=LONG)
