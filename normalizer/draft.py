"""What one message says: what is read of each, and what is read only when somebody asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from normalizer import classify, numbers
from normalizer.case import Attachment
from normalizer.emergency import Emergency, detect, detect_folded
from normalizer.evolve import make
from normalizer.message import MEDIA_KINDS, InboundMessage, Part, PartKind, SourceChannel
from normalizer.people import Finding, find, mask
from normalizer.place import place_in
from normalizer.text import clean, for_matching, is_empty, sentences
from normalizer.tone import Tone, tone
from normalizer.when import When, when_in

MATCHED = 500
"""Characters in which words are looked for; what a long letter is about is said at its beginning."""
ANSWER = 6
"""Characters that an answer by number may have."""
SHORT = 1_024
"""Short texts whose reading is remembered."""
TITLE = 50
"""Characters of a case's title (domain.md 2.1)."""

_POLITE = re.compile(
    r"^(?:(?:您好|你好|您们好|你们好|领导好?|尊敬的[\u4e00-\u9fff]{0,6}|请问|谢谢|我?(?:想|要|来)(?:要)?|"
    r"(?:反映|投诉|举报|咨询|求助|建议)(?:一下|一个问题|问题|个问题)?)[，,。.!！:：\s]*)+",
)


_WHO = re.compile(r"[，,。 ]\s*(?:我叫|我是|本人|姓名|联系|电话|手机)")
"""Where a sentence turns from the matter to the person; a title is seen by more people than the person is."""


@dataclass(frozen=True)
class CaseDraft:
    """One message as it was read.

    ``text`` is clean, ``matching`` folded for looking up words, ``digit`` the number that is the whole answer;
    ``subject`` is clean too; ``about``, ``automatic`` and ``damaged`` are the message's.
    """

    text: str = ""
    matching: str = ""
    digit: int | None = None
    event: Part | None = None
    place: Part | None = None
    attachments: tuple[Attachment, ...] = ()
    emergency: Emergency | None = None
    tone: Tone = Tone.CALM
    empty: bool = True
    subject: str = ""
    about: str = ""
    automatic: bool = False
    damaged: bool = False

    def kind(self) -> tuple[str, float]:
        """Return the likely 诉求类型 and its confidence."""
        return classify.kind_of(self.matching)

    def category(self) -> tuple[str, float]:
        """Return the likely category and its confidence."""
        return classify.category_of(self.matching)

    def place_text(self) -> str | None:
        """Return the place the words mention."""
        return place_in(self.text)

    def when(self, now: datetime) -> When | None:
        """Return the time the words mention."""
        return when_in(self.text, now)

    def findings(self) -> tuple[Finding, ...]:
        """Return the personal data in the words."""
        return find(self.text)

    def masked(self) -> str:
        """Return the words with personal data masked."""
        return mask(self.text)


def draft(message: InboundMessage) -> CaseDraft:
    """Read one message."""
    part = message.parts[0] if len(message.parts) == 1 else None
    if part is not None and part.kind is PartKind.TEXT and message.source is not SourceChannel.EMAIL:
        return _short(part.text) if len(part.text) <= ANSWER else make(CaseDraft, **_words(part.text))
    read = _words(message.text) | _parts(message)
    if message.source is SourceChannel.EMAIL:
        read |= {"subject": clean(message.subject), "about": message.about}
        read |= {"automatic": message.automatic, "damaged": message.damaged}
    return make(CaseDraft, **read)


@lru_cache(SHORT)
def _short(text: str) -> CaseDraft:
    """Read a short text: most messages are a digit or a word that thousands send."""
    return make(CaseDraft, **_words(text))


def _words(given: str) -> dict[str, Any]:
    text = clean(given)
    matching, empty = for_matching(text[:MATCHED]), is_empty(text)
    read: dict[str, Any] = {"text": text, "matching": matching, "empty": empty}
    # Before the danger: a bare digit is never one.
    digit = numbers.digit(text) if 0 < len(text) <= ANSWER else None
    if digit is not None:
        read["digit"] = digit
    else:
        read["tone"] = tone(matching)
    if digit is None and not empty:
        # Folding is most of the work, and a short text is folded whole already.
        read["emergency"] = detect_folded(matching) if len(text) <= MATCHED else detect(text)
    return read


def _parts(message: InboundMessage) -> dict[str, Any]:
    return {
        "attachments": tuple(_attachment(part) for part in message.parts if part.kind in MEDIA_KINDS),
        "place": next((part for part in message.parts if part.kind is PartKind.PLACE), None),
        "event": message.event,
    }


def title_of(text: str) -> str:
    """Return a masked title of at most 50 characters: the first sentence that says something."""
    for sentence in sentences(text):
        title = _WHO.split(_POLITE.sub("", sentence), maxsplit=1)[0].strip("。！？!?；;…，,\n ")
        if len(title) >= 4:
            return mask(title)[:TITLE]
    return mask(text.strip())[:TITLE]


def _attachment(part: Part) -> Attachment:
    return Attachment(part.kind.value, part.media_id, part.url, part.name, part.mime, part.size, part.blob)
