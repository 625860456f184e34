"""HTML of strangers: to text, and to HTML that is safe to show (spec 5).

Both go through nh3 first, so that what our own converter walks is well formed however the mail was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from html import unescape
from html.parser import HTMLParser

import nh3

LONGEST = 1_000_000
"""Characters of HTML that are looked at; of more, the pictures within it are left out first, then what comes last."""
DEEPEST = 1000
"""Elements open at once; past it a parser's time grows with the square."""
_MOST_ENTITIES = 100_000

_TAGS = nh3.ALLOWED_TAGS | {"font", "includetail"}
_SHOWN = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()} | {
    "img": {"src", "alt", "title", "width", "height"},
    "font": {"color"},
}
_MARKED = {"*": {"id", "class", "name", "type", "style"}, "a": {"href"}, "img": {"alt"}}
_DROPPED = {"script", "style", "title", "template", "noscript"}
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "includetail",
    ],
)
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "pre"})
_VOID = frozenset({"br", "hr", "img", "wbr", "col", "area", "input", "meta", "link", "base"})
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_PICTURE = re.compile(r"data:image/[^\"'<>]{200,}", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0\u2002-\u200a]+")
_DATA_IMAGE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,[0-9A-Za-z+/=\s]*", re.IGNORECASE)


class Skip(Enum):
    """What of an element to leave out: nothing, the element, or everything from it on."""

    NOTHING = 0
    ELEMENT = 1
    REST = 2


Skips = Callable[[str, Mapping[str, str]], Skip]


def hostile(html: str) -> bool:
    """Return whether HTML has more elements within one another, or entities, than any person's mail."""
    if html.count("&") > _MOST_ENTITIES:
        return True
    depth = 0
    for closing, tag in _TAG.findall(html):
        depth += 0 if tag.lower() in _VOID or tag.lower() == "p" else -1 if closing else 1
        depth = max(depth, 0)
        if depth > DEEPEST:
            return True
    return False


def shortened(html: str) -> str:
    """Return at most ``LONGEST`` characters of HTML: of more, its own pictures go first, for the words say more."""
    return html if len(html) <= LONGEST else _PICTURE.sub("", html)[:LONGEST]


def sanitised(html: str, parts: Mapping[str, int]) -> str:
    """Return HTML that runs nothing and fetches nothing.

    Images of the mail itself (``parts``: Content-ID to attachment number) get the address ``attachment:N``; remote
    ones lose theirs, for to fetch them tells the sender when and where he is read. Hostile HTML gives none at all.
    """
    if hostile(html):
        return ""

    def allowed(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return _image(value, parts)
        if name == "href":
            return None if value.lower().lstrip().startswith(("data:", "attachment:", "cid:")) else value
        return value

    return nh3.clean(
        shortened(html),
        tags=_TAGS - {"includetail"},
        clean_content_tags=_DROPPED,
        attributes=_SHOWN,
        attribute_filter=allowed,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data", "attachment"},
    )


def to_text(html: str, skips: Skips = lambda _tag, _attributes: Skip.NOTHING) -> str:
    """Return the words of HTML in lines, as a reader sees them; a link's address follows its words once."""
    html = _PICTURE.sub("", html)[:LONGEST]
    if hostile(html):
        return unescape(_ANY_TAG.sub(" ", html)).strip()
    walker = _Walker(skips)
    walker.feed(
        nh3.clean(
            html,
            tags=_TAGS,
            clean_content_tags=_DROPPED,
            attributes=_MARKED,
            url_schemes={"http", "https", "mailto"},
            link_rel=None,
        ),
    )
    walker.close()
    return walker.text()


def _image(value: str, parts: Mapping[str, int]) -> str | None:
    if value.lower().startswith("cid:"):
        number = parts.get(value[4:].strip("<>"))
        return None if number is None else f"attachment:{number}"
    return value if _DATA_IMAGE.fullmatch(value) else None


class _Walker(HTMLParser):
    def __init__(self, skips: Skips) -> None:
        super().__init__(convert_charrefs=True)
        self._skips = skips
        self._out: list[str] = []
        self._open: list[str] = []
        self._skipping = 0  # the depth of the element being left out; 0 for none
        self._over = False
        self._pre = 0
        self._link = ("", 0)
        self._links: set[str] = set()

    def text(self) -> str:
        lines = [line.strip() for line in "".join(self._out).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._over:
            return
        if tag not in _VOID:
            self._open.append(tag)
        if not self._skipping:
            self._start(tag, {name: value or "" for name, value in attrs})

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        skip = self._skips(tag, attributes)
        if skip is Skip.REST:
            self._over = True
        elif skip is Skip.ELEMENT and tag not in _VOID:
            self._skipping = len(self._open)
        elif skip is Skip.NOTHING:
            self._show(tag, attributes)

    def _show(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "br":
            self._out.append("\n")
        elif tag in _BLOCKS:
            self._break(tag)
        elif tag in ("td", "th") and self._out and not self._out[-1].endswith("\n"):
            self._out.append("  ")
        elif tag == "a":
            self._link = (attributes.get("href", ""), len(self._out))
        if tag == "li":
            self._out.append("- ")
        self._pre += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if self._over or tag not in self._open[-1:]:
            return
        if not self._skipping:
            self._end(tag)
        self._open.pop()
        if len(self._open) < self._skipping:
            self._skipping = 0

    def _end(self, tag: str) -> None:
        if tag == "a":
            self._note_link()
        if tag in _BLOCKS:
            self._break(tag)
        self._pre -= tag == "pre"

    def handle_data(self, data: str) -> None:
        if self._over or self._skipping:
            return
        text = data if self._pre else _BLANKS.sub(" ", data)
        if text != " " or (self._out and not self._out[-1].endswith(("\n", " "))):
            self._out.append(text)

    def _break(self, tag: str) -> None:
        if self._out and self._out[-1] == "- ":
            return
        if self._out and not self._out[-1].endswith("\n"):
            self._out.append("\n")
        if tag in _SPACED:
            self._out.append("\n")

    def _note_link(self) -> None:
        address, start = self._link
        self._link = ("", 0)
        bare = address.removeprefix("mailto:")
        if bare and bare not in self._links and bare not in "".join(self._out[start:]):
            self._out.append(f" ({bare})")
        self._links.add(bare)
