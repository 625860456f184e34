"""Read a mail: every byte string is one, and none raises (spec 5.1).

The standard library takes the structure apart; what it gets wrong (charsets, 8-bit headers, names, winmail.dat) is
done here. What goes past a limit or cannot be read is noted in ``damaged``: the raw mail is kept by the caller.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime

from channels.email import html as markup
from channels.email import winmail, words
from channels.email.charsets import decode, decode_noting
from channels.email.kinds import kind_of
from channels.email.letter import Attachment, Letter, Mailbox

MOST_PARTS = 500
MOST_ATTACHMENTS = 100
MOST_BYTES = 100 * 1024 * 1024
"""Of all decoded attachments together."""
MOST_TEXT = 2_000_000
"""Characters of text that are kept."""
DEEPEST = 8
"""Mails within mails, and multiparts within multiparts."""
_MOST_MARKS = 200
_MOST_HEADERS = 1000
# The library looks at every line once for each open boundary and calls itself for each level.
_MARKS = re.compile(rb"boundary\s*\*?\d*\*?\s*=|message/|multipart/", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]+>")
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w:.-]{1,40})", re.IGNORECASE)


def read(raw: bytes) -> Letter:
    """Return a mail's parts, headers and texts; what could not be read is named in ``damaged``. Never raises."""
    if len(_MARKS.findall(raw)) > _MOST_MARKS:
        return _unopened(raw, "too many parts within parts")
    try:
        return _Reading().letter(message_from_bytes(raw, policy=compat32), 0)
    except Exception as error:  # noqa: BLE001  the library raises what it likes; a mail must never stop the mailbox
        return _unopened(raw, f"structure: {type(error).__name__}")


def _unopened(raw: bytes, why: str) -> Letter:
    """Return the headers, and the whole as one file."""
    try:
        headers = _headers(BytesHeaderParser(policy=compat32).parsebytes(raw[:200_000]))
    except Exception:  # noqa: BLE001  as above
        headers = {}
    whole = Attachment("mail.eml", raw, "message/rfc822", "message/rfc822")
    return _addressed(headers, Letter(Mailbox(""), headers=headers, attachments=(whole,), damaged=(why,)))


@dataclass
class _Body:
    """Texts of one part of the tree."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)


class _Reading:
    """One mail being read; the limits are counted over all mails within it."""

    def __init__(self) -> None:
        self._parts = 0
        self._bytes = 0
        self._files = 0

    def letter(self, message: Message, depth: int) -> Letter:
        found = _Found()
        headers = _headers(message)
        body = _Body()
        self._take(message, found, body, depth, 0)
        text, html = "\n\n".join(filter(None, body.texts)), "\n".join(body.htmls)
        if not text and not html:
            text = _outside(message)
        if len(text) > MOST_TEXT:
            found.damage("text cut")
        if len(html) > markup.LONGEST:
            found.damage("html cut")
        text, html = text[:MOST_TEXT], markup.shortened(html)
        if markup.hostile(html):
            found.damage("html too deep")
        numbers = {file.content_id: number for number, file in enumerate(found.files) if file.content_id}
        letter = Letter(
            sender=Mailbox(""),
            headers=headers,
            content_type=message.get_content_type(),
            text=_best(text, html),
            html=markup.sanitised(html, numbers) if html else "",
            source=html,
            attachments=tuple(found.files),
            nested=tuple(found.nested),
            reports=tuple(found.reports),
            damaged=tuple(dict.fromkeys(found.damages)),
        )
        return _addressed(headers, letter)

    def _take(self, part: Message, found: _Found, body: _Body, depth: int, level: int) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS or level > DEEPEST:
            found.damage("too many parts" if self._parts > MOST_PARTS else "too deep")
            return
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/disposition-notification") and part.is_multipart():
            found.reports.extend(_fields(block) for block in _children(part))
        elif kind == "text/rfc822-headers":
            found.nested.append(
                self.letter(BytesHeaderParser(policy=compat32).parsebytes(_content(part)), depth + 1)
            )
        elif part.get_content_maintype() == "message" and part.is_multipart():
            self._enclosed(part, found, depth)
        elif part.is_multipart():
            self._split(part, found, body, depth, level)
        else:
            self._leaf(part, found, body)
        if part.defects:
            found.damages.extend(f"structure: {type(defect).__name__}" for defect in part.defects[:3])

    def _split(self, part: Message, found: _Found, body: _Body, depth: int, level: int) -> None:
        if part.get_content_subtype() != "alternative":
            for child in _children(part):
                self._take(child, found, body, depth, level + 1)
            return
        # Versions of one text: the last of each kind is the richest, the first of plain text the usual one.
        versions = _Body()
        for child in _children(part):
            self._take(child, found, versions, depth, level + 1)
        text, html = "\n\n".join(filter(None, versions.texts)), "\n".join(versions.htmls)
        body.texts.append(_best(text, html))
        body.htmls.extend([html] if html else [])

    def _enclosed(self, part: Message, found: _Found, depth: int) -> None:
        if depth >= DEEPEST:
            found.damage("mails too deep")
            return
        for child in _children(part):
            inner = _unpacked(part, child)
            letter = self.letter(inner, depth + 1)
            found.nested.append(letter)
            found.damages.extend(letter.damaged)

    def _leaf(self, part: Message, found: _Found, body: _Body) -> None:
        content = _content(part)
        name = _name(part)
        kind = part.get_content_type()
        # A multipart whose parts cannot be told from one another is its text.
        plain = kind == "text/plain" or part.get_content_maintype() == "multipart"
        is_file = bool(name) or _disposition(part) == "attachment"
        if is_file or not (plain or kind == "text/html"):
            self._file(part, content, found, body)
            return
        label = words.parameters(_raw(part, "content-type")).get("charset", "")
        if kind == "text/html" and not label and (meta := _META.search(content[:4096])):
            label = meta.group(1).decode("ascii", "replace")
        text, whole = decode_noting(content, label)
        if not whole:
            found.damage("charset")
        (body.htmls if kind == "text/html" else body.texts).append(text.replace("\r\n", "\n").strip("\n"))

    def _file(self, part: Message, content: bytes, found: _Found, body: _Body) -> None:
        name, kind = _name(part), part.get_content_type()
        if winmail.is_one(content, kind, name):
            opened = winmail.opened(content)
            if opened is not None:
                for inner in opened.files:
                    self._keep(inner, found)
                body.texts.extend([opened.text] if opened.text and not any(body.texts) else [])
                body.htmls.extend([opened.html] if opened.html and not body.htmls else [])
                return
            found.damage("winmail.dat")
        content_id = words.unfolded(_raw(part, "content-id")).strip().strip("<>")
        inline = _disposition(part) == "inline" or bool(content_id)
        ending = {"text/calendar": "ics", "text/html": "html", "text/plain": "txt"}.get(kind, "bin")
        called = name or f"file-{len(found.files) + 1}.{ending}"
        self._keep(Attachment(called, content, kind, kind_of(content, kind), inline, content_id), found)

    def _keep(self, file: Attachment, found: _Found) -> None:
        self._files += 1
        self._bytes += len(file.content)
        if self._files > MOST_ATTACHMENTS or self._bytes > MOST_BYTES:
            found.damage("too many files" if self._files > MOST_ATTACHMENTS else "files too large")
            return
        found.files.append(file)


@dataclass
class _Found:
    files: list[Attachment] = field(default_factory=list)
    nested: list[Letter] = field(default_factory=list)
    reports: list[Mapping[str, str]] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)

    def damage(self, why: str) -> None:
        self.damages.append(why)


def _addressed(headers: Mapping[str, tuple[str, ...]], letter: Letter) -> Letter:
    """Return the letter with the values that its headers hold."""
    first = {name: values[0] for name, values in headers.items()}
    sender = (*words.mailboxes(first.get("from", "")), *words.mailboxes(first.get("sender", "")), Mailbox(""))
    return replace(
        letter,
        sender=next((box for box in sender if box.address), sender[0]),
        to=words.mailboxes(first.get("to", "")),
        cc=words.mailboxes(first.get("cc", "")),
        reply_to=words.mailboxes(first.get("reply-to", "")),
        subject=words.text_of(first.get("subject", "")),
        date=_date(first.get("date", "")),
        message_id=next(iter(_ids(first.get("message-id", ""))), ""),
        in_reply_to=next(iter(_ids(first.get("in-reply-to", ""))), ""),
        references=tuple(_ids(first.get("references", ""))),
        headers={name: tuple(map(words.text_of, values)) for name, values in headers.items()},
    )


def _headers(message: Message) -> dict[str, tuple[str, ...]]:
    """Return every header's values, not yet decoded."""
    result: dict[str, tuple[str, ...]] = {}
    for name, value in list(message.raw_items())[:_MOST_HEADERS]:
        key = words.unfolded(name).strip().lower()
        result[key] = (*result.get(key, ()), str(value))
    return result


def _fields(block: Message) -> Mapping[str, str]:
    return {name: words.text_of(values[0]) for name, values in _headers(block).items()}


def _raw(part: Message, name: str) -> str:
    return next((str(value) for key, value in part.raw_items() if key.lower() == name), "")


def _disposition(part: Message) -> str:
    return words.unfolded(_raw(part, "content-disposition")).split(";")[0].strip().lower()


def _children(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    return (
        (child for child in payload if isinstance(child, Message)) if isinstance(payload, list) else iter(())
    )


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _unpacked(part: Message, child: Message) -> Message:
    """Return the mail within a mail, also where it was packed in base64 against RFC 2046 5.2.1."""
    packed = child.get_payload()
    if "base64" not in _raw(part, "content-transfer-encoding").lower() or not isinstance(packed, str):
        return child
    try:
        return message_from_bytes(base64.b64decode(packed.encode("ascii", "replace")), policy=compat32)
    except (binascii.Error, ValueError):
        return child


def _name(part: Message) -> str:
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        name = words.safe_name(words.parameters(_raw(part, header)).get(parameter, ""))
        if name:
            return name
    return ""


def _outside(message: Message) -> str:
    """Return what stands before and after the parts, for mails whose text is nowhere else."""
    around = (message.preamble or "", message.epilogue or "")
    return "\n".join(decode(text.encode("utf-8", "surrogateescape")) for text in around).strip()


def _best(text: str, html: str) -> str:
    """Return the plain text, unless it only says that the reader should look at the HTML."""
    if not html:
        return text
    rendered = markup.to_text(html)
    if text.strip() and 4 * len(text.strip()) >= len(rendered):
        return text
    stub = text.strip()
    return rendered if not stub or stub in rendered else f"{rendered}\n\n{stub}"


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(words.unfolded(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _ids(value: str) -> list[str]:
    """Return the ids of a header; of very many the first, which names the thread, and the newest."""
    ids = _ID.findall(re.sub(r"\s+(?=[^<]*>)", "", words.unfolded(value)))
    return [*ids[:1], *ids[1:][-99:]]
