"""Whatever somebody writes into a field, a page shows it as what it is: letters."""

from html.parser import HTMLParser

import pytest

from gateway.knowledge import shelf
from tests.gateway.test_knowledge import FUND
from tests.kit.browser import told
from tests.kit.cases import NOW

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea><script>alert(1)</script>",
    "{{ 7*7 }}{% raw %}",
    "{0.__class__}{fields}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "javascript:alert(1)",
    "\u202e\u0000\u2066evil😀",
    "%s%n$(id)`id`",
)
MATTER = "泰山区东岳大街88号门前井盖丢失，晚上很危险"


@pytest.mark.parametrize("words", HOSTILE)
async def test_no_field_of_the_form_is_alive_on_any_page(browsers, words):
    browser = browsers()
    fields = {
        "text": f"{MATTER}{words}",
        "place": f"东岳大街{words}",
        "when_text": words,
        "demand": words,
        "name": words,
        "org_name": words,
        "person_type": "company",
        "agent": "1",
        "agent_for": words,
    }
    shown = [await browser.post("/report/contact", {"phone": words})]
    shown.append(await browser.post("/report/what", {"text": words}))
    shown.append(await browser.writes(**fields))
    shown += [await browser.get(f"/report/{page}") for page in ("what", "where", "when", "files", "contact")]
    shown.append(await browser.get("/report"))
    shown.append(await browser.post("/report/contact", fields | {"phone": words, "uscc": words}))
    await browser.post("/report/contact", fields | {"phone": "13812345678"})
    done = await browser.post("/report/check")
    assert done.path == "/report/done"
    number, _ = told(done)
    shown += [done, await browser.get("/cases"), await browser.get("/me")]
    for act in ("supplement", "urge"):
        shown.append(await browser.post(f"/cases/{number}/{act}", {"text": words}))
    shown += [
        await browser.get(f"/cases/{number}/{act}") for act in ("supplement", "urge", "withdraw", "rate")
    ]
    shown.append(
        await browser.post(f"/cases/{number}/rate", {"score": words, "text": words, "reason": words})
    )
    look(shown)


@pytest.mark.parametrize("words", HOSTILE)
async def test_nothing_else_that_is_echoed_is_alive(browsers, words):
    browser = browsers()
    shown = [
        await browser.post("/cases/find", {"number": words, "code": words}),
        await browser.post("/login", {"phone": words}),
        await browser.post("/chat", {"text": words or "x", "token": words}),
        await browser.post("/me/correct", {"name": words, "other": words}),
        await browser.get("/knowledge", params={"q": words, "theme": words}),
        await browser.get("/cases", params={"x": words}),
        await browser.post("/view", {"lang": words, "back": f"/scope?{words}"}),
    ]
    look(shown)


async def test_what_the_hotline_itself_wrote_is_shown_as_letters_too(browsers, portal):
    from dataclasses import replace  # noqa: PLC0415

    bad = HOSTILE[1]
    entry = replace(
        FUND,
        title=bad,
        answer_short=bad,
        answer_full=bad,
        steps=(bad,),
        materials=(bad,),
    )
    await shelf.put(portal.books.store, [entry], NOW, "test")
    await portal.knowledge.refresh()
    browser = browsers()
    page = await browser.get(f"/knowledge/{entry.id}")
    assert page.status == 200
    look([page, await browser.get("/knowledge", params={"theme": entry.category})])


async def test_a_language_or_view_that_is_none_changes_nothing(browsers):
    browser = browsers()
    await browser.post("/view", {"lang": "../../etc/passwd", "elderly": "<b>", "contrast": "x"})
    page = await browser.get("/", headers={"Cookie": "jiesu_view=../../x-elderly-<script>"})
    assert page.status == 200
    look([page])


def look(pages):
    for page in pages:
        assert page.status < 500, page.text
        found = Alive()
        found.feed(page.html)
        assert found.alive == []


class Alive(HTMLParser):
    """Reads a page as a browser does, and notes what would run or leads away."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[object] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        ours = tag == "script" and (named.get("src") or "").startswith("/static/")
        if tag in {"script", "img", "iframe", "object", "embed", "style", "base", "svg"} and not ours:
            self.alive.append((tag, attrs))
        if any(name.startswith("on") or name in {"style", "srcdoc", "formaction"} for name in named):
            self.alive.append((tag, attrs))
        for name in ("href", "src", "action"):
            where = named.get(name) or "/"
            if not where.startswith(("/", "#", "tel:", "mailto:", "data:,")) or where.startswith("//"):
                self.alive.append((tag, attrs))

    def handle_decl(self, decl):
        if decl != "doctype html":
            self.alive.append(decl)

    def handle_comment(self, data):
        self.alive.append(data)
