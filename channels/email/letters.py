"""A mail into an ``InboundMessage``: what the person wrote, his files in our store, the case it is about."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from channels.email import proof, quotes, tokens
from channels.email.automatic import automatic, own
from channels.email.bounces import bounce
from normalizer.message import Address, Delivery, InboundMessage, Part, PartKind, Receipt, SourceChannel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from channels.contract import Tools
    from channels.email.letter import Attachment, Letter
    from channels.email.settings import Settings

RAW_INLINE = 64 * 1024
"""Bytes of a raw mail that stay with the message; a larger one goes to the store of files."""
REFERENCES = 10
SUBJECT = 200
THREAD = 1500
"""Characters that are kept of a mail's thread."""
LONGEST_ID = 400
_ID = re.compile(r"<[\x21-\x7e]+>")


class Letters:
    """Reads the mails of one account."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        self._account = account
        self._settings = settings
        self._tools = tools

    async def message(self, letter: Letter, raw: bytes, *, whole: bool = True) -> InboundMessage:
        """Return the message of a mail as it was read from ``raw``, its files stored.

        Not ``whole`` when only the beginning of a mail that is too large was read.
        """
        now = self._tools.now()
        automatically = automatic(letter) or ("own" if own(letter, self._settings.own_domain) else "")
        damaged = bool(letter.damaged) or not whole or not letter.sender.address
        words = quotes.visible(letter.text, letter.source)
        return InboundMessage(
            account=self._account,
            sender=letter.sender.address or "unreadable",
            external_id=name_of(letter, raw),
            source=SourceChannel.EMAIL,
            received_at=now,
            sent_at=letter.date or now,
            parts=await self._parts(letter, raw, words, damaged=damaged),
            raw=raw if len(raw) <= RAW_INLINE else b"",
            raw_blob="" if len(raw) <= RAW_INLINE else await self._tools.blobs.put(raw),
            subject=letter.subject,
            # Cut or not is told by the words: mail programs write the blanks of their two versions as they like.
            full_text=letter.text if words.split() != letter.text.split() else "",
            about=await self._about(letter),
            name=_named(letter.message_id),
            thread=_thread(letter),
            automatic=bool(automatically) or not letter.sender.address,
            damaged=damaged,
            notes=self._notes(letter, automatically)
            | ({} if whole else {"too_large": "邮件过大，只读了开头"}),
        )

    def receipt(self, letter: Letter, at: datetime) -> Receipt | None:
        """Return what a bounce says of a mail that we sent; None for any other mail."""
        said = bounce(letter)
        if said is None or not said.original or not said.permanent:
            return None
        # As we wrote it: relays change the case of a domain, which means the same.
        left, _, domain = said.original.rpartition("@")
        if domain.lower() != f"{self._settings.own_domain}>":
            return None
        detail = f"{said.status} {said.reason}".strip()
        return Receipt(self._account, f"{left}@{domain.lower()}", Delivery.FAILED, at, detail)

    async def _about(self, letter: Letter) -> str:
        """Return the case that a token of ours, or the thread, proves this mail to be about (spec 5)."""
        sign = self._tools.sign
        chain = tuple(name for name in (letter.in_reply_to, *reversed(letter.references)) if name)
        addresses = [mailbox.address for mailbox in (*letter.to, *letter.cc)]
        found = tokens.case_in(chain, sign) or tokens.case_in_address(addresses, sign)
        said = bounce(letter)
        if not found and said is not None and said.original:
            found = tokens.case_in((said.original,), sign)
        return found or await self._tools.receipts.case_of(self._account, chain[:REFERENCES])

    async def _parts(self, letter: Letter, raw: bytes, words: str, *, damaged: bool) -> tuple[Part, ...]:
        put = self._tools.blobs.put
        html = await put(letter.html.encode()) if letter.html else ""
        parts = [Part(PartKind.TEXT, text=words, blob=html, mime="text/html" if html else "")]
        parts += [await self._file(each, letter.sender.address) for each in _files(letter)]
        if damaged:
            whole = await put(raw)
            parts.append(
                Part(PartKind.FILE, name="原始邮件.eml", mime="message/rfc822", size=len(raw), blob=whole)
            )
        return tuple(parts)

    async def _file(self, attachment: Attachment, sender: str) -> Part:
        """Return an attachment as a part; what the pipeline does not accept is kept as it came, for an agent to save."""
        whose = Address(self._account, sender)
        taken = await self._tools.media.take(whose, attachment.content, attachment.name)
        if taken is not None:
            return taken
        blob = await self._tools.blobs.put(attachment.content)
        size = len(attachment.content)
        return Part(PartKind.FILE, name=attachment.name, mime=attachment.kind, size=size, blob=blob)

    def _notes(self, letter: Letter, automatically: str) -> dict[str, str]:
        notes = dict(proof.note(letter, self._settings.authserv_id))
        if automatically:
            notes["automatic"] = automatically
        if letter.damaged:
            notes["damaged"] = "；".join(letter.damaged)[:SUBJECT]
        return notes


def name_of(letter: Letter, raw: bytes) -> str:
    """Return what makes a mail itself: a sender whose Message-ID never changes loses none of his mails."""
    body = raw.partition(b"\r\n\r\n")[2] or raw.partition(b"\n\n")[2] or raw
    return f"{letter.message_id[:200]}#{hashlib.sha256(body).hexdigest()[:16]}"


def _files(letter: Letter) -> Iterator[Attachment]:
    yield from letter.attachments
    for inner in letter.nested:
        yield from _files(inner)


def _named(message_id: str) -> str:
    """Return a Message-ID that can stand in a header of ours, or nothing."""
    return message_id if len(message_id) <= LONGEST_ID and _ID.fullmatch(message_id) else ""


def _thread(letter: Letter) -> str:
    """Return what an answer needs to stand in the same thread: at most ``THREAD`` characters."""
    subject = "".join(filter(str.isprintable, letter.subject))[:SUBJECT]
    told: dict[str, object] = {"id": _named(letter.message_id), "references": [], "subject": subject}
    room = THREAD - len(json.dumps(told, ensure_ascii=False))
    told["references"] = _references(letter.references, room)
    return json.dumps(told, ensure_ascii=False)


def _references(given: tuple[str, ...], room: int) -> list[str]:
    """Return the first and the newest ids for so many characters of JSON (RFC 5322 3.6.4), whole ones only."""
    ids = [found for name in given if (found := _named(name))]
    # The first one names the thread; of the others the newest are those that a mail program still has.
    kept: list[str] = []
    for name in [*ids[:1], *reversed(ids[1:])]:
        room -= len(json.dumps(name)) + len(", ")
        if room < 0:
            break
        kept.append(name)
    return [*kept[:1], *reversed(kept[1:])]
