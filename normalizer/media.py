"""What a file is, by its content; what is accepted; what it may be called. Bytes in, facts out (domain.md 2.1).

A name and a header are a claim by whoever sent the file and are never believed. What is not on the list below is not
accepted, so a web page, a drawing with script or a program is turned away by whatever name it comes. A file that is
one thing and carries another (a picture with a web page behind it) is taken for what its first bytes are and marked
``MIXED``; only a copy made anew from its picture ever leaves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import filetype

from normalizer.errors import Refused
from normalizer.message import PartKind

HEAD = 8192
"""Bytes from the beginning of a file that ``sniff`` needs."""
TAIL = 65_558
"""Bytes from its end: the furthest from the end that a zip's directory record may begin (APPNOTE 4.3.16)."""
NAME_LENGTH = 80

UNKNOWN = "application/octet-stream"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"L\0\0\0\x01\x14\x02",
)
_PAGE = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed)[\s>/]", re.IGNORECASE
)
_PAGE_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype\s+html|[a-z]+)", re.IGNORECASE | re.DOTALL
)
_PAGE_TAGS = frozenset(
    {b"!doctype html", b"html", b"head", b"body", b"script", b"iframe", b"object", b"embed"}
)
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class Trait(StrEnum):
    """What else is to be known of a file."""

    ARCHIVE = "archive"
    OFFICE = "office"
    PDF = "pdf"
    ACTIVE = "active"
    MIXED = "mixed"
    UNLISTED = "unlisted"


class Refusal(StrEnum):
    """Which rule a file broke; what would be accepted is said by ``gateway.media.words``."""

    TYPE = "type"
    EMPTY = "empty"
    SIZE = "size"
    PIXELS = "pixels"
    SECONDS = "seconds"
    COUNT = "count"
    TOTAL = "total"
    BOMB = "bomb"
    ARCHIVE = "archive"
    BROKEN = "broken"
    VIRUS = "virus"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that was broken: by a file of which kind, and what would be accepted (bytes, pixels, seconds, files)."""

    refusal: Refusal
    kind: PartKind = PartKind.FILE
    allowed: int = 0


class NotAccepted(Refused):
    """A file breaks a rule; ``breach`` says which and what would be accepted."""

    def __init__(self, breach: Breach) -> None:
        super().__init__(breach.refusal.value)
        self.breach = breach


@dataclass(frozen=True, slots=True)
class Limit:
    """How large one file may be: ``size`` in bytes; ``pixels`` and ``seconds`` where the kind has them, else 0."""

    size: int
    pixels: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted of each kind, and ``count`` files of one owner (a draft, a case)."""

    image: Limit
    video: Limit
    voice: Limit
    file: Limit
    count: int

    def of(self, kind: PartKind) -> Limit:
        """Return the limit of a kind."""
        kinds = {PartKind.IMAGE: self.image, PartKind.VIDEO: self.video, PartKind.VOICE: self.voice}
        return kinds.get(kind, self.file)

    @property
    def largest(self) -> int:
        """The most bytes that a file of any kind may have."""
        return max(self.image.size, self.video.size, self.voice.size, self.file.size)


@dataclass(frozen=True, slots=True)
class Type:
    """A type that is accepted: its kind, the endings its names may have (the first is given), what else it is."""

    kind: PartKind
    endings: tuple[str, ...]
    traits: frozenset[Trait] = frozenset()


_NONE: frozenset[Trait] = frozenset()
_OFFICE, _ARCHIVE = frozenset({Trait.OFFICE}), frozenset({Trait.ARCHIVE})
# Nothing here can look inside these; they are kept for download.
_CLOSED = frozenset({Trait.ARCHIVE, Trait.UNLISTED})
_OOXML = "application/vnd.openxmlformats-officedocument."
_ROWS = (
    (PartKind.IMAGE, _NONE, "image/jpeg jpg jpeg jpe jfif"),
    (PartKind.IMAGE, _NONE, "image/png png"),
    (PartKind.IMAGE, _NONE, "image/gif gif"),
    (PartKind.IMAGE, _NONE, "image/webp webp"),
    (PartKind.IMAGE, _NONE, "image/bmp bmp"),
    (PartKind.IMAGE, _NONE, "image/heic heic heif"),
    (PartKind.IMAGE, _NONE, "image/tiff tif tiff"),
    (PartKind.VIDEO, _NONE, "video/mp4 mp4 m4v"),
    (PartKind.VIDEO, _NONE, "video/quicktime mov qt"),
    (PartKind.VIDEO, _NONE, "video/3gpp 3gp 3gpp"),
    (PartKind.VIDEO, _NONE, "video/webm webm"),
    (PartKind.VIDEO, _NONE, "video/x-matroska mkv"),
    (PartKind.VIDEO, _NONE, "video/x-msvideo avi"),
    (PartKind.VIDEO, _NONE, "video/mpeg mpg mpeg"),
    (PartKind.VIDEO, _NONE, "video/x-flv flv"),
    (PartKind.VIDEO, _NONE, "video/x-ms-wmv wmv"),
    (PartKind.VOICE, _NONE, "audio/amr amr"),
    (PartKind.VOICE, _NONE, "audio/silk silk slk aud"),
    (PartKind.VOICE, _NONE, "audio/mpeg mp3"),
    (PartKind.VOICE, _NONE, "audio/ogg ogg oga opus"),
    (PartKind.VOICE, _NONE, "audio/mp4 m4a"),
    (PartKind.VOICE, _NONE, "audio/aac aac"),
    (PartKind.VOICE, _NONE, "audio/x-wav wav"),
    (PartKind.VOICE, _NONE, "audio/x-flac flac"),
    (PartKind.FILE, frozenset({Trait.PDF}), "application/pdf pdf"),
    (PartKind.FILE, _OFFICE, "application/msword doc wps dot"),
    (PartKind.FILE, _OFFICE, "application/vnd.ms-excel xls et"),
    (PartKind.FILE, _OFFICE, "application/vnd.ms-powerpoint ppt dps"),
    (PartKind.FILE, _OFFICE, "application/x-ole-storage doc xls ppt wps et dps"),
    (PartKind.FILE, _OFFICE, "application/rtf rtf"),
    (PartKind.FILE, _OFFICE, f"{_OOXML}wordprocessingml.document docx"),
    (PartKind.FILE, _OFFICE, f"{_OOXML}spreadsheetml.sheet xlsx"),
    (PartKind.FILE, _OFFICE, f"{_OOXML}presentationml.presentation pptx"),
    # 版式文件, the layout of official documents (GB/T 33190): a zip.
    (PartKind.FILE, _OFFICE, "application/ofd ofd"),
    (PartKind.FILE, _ARCHIVE, "application/zip zip"),
    (PartKind.FILE, _ARCHIVE, "application/x-tar tar"),
    (PartKind.FILE, _ARCHIVE, "application/gzip gz tgz"),
    (PartKind.FILE, _CLOSED, "application/x-rar-compressed rar"),
    (PartKind.FILE, _CLOSED, "application/x-7z-compressed 7z"),
    (PartKind.FILE, _NONE, "text/plain txt csv log md"),
)
ACCEPTED: Mapping[str, Type] = {
    row.split()[0]: Type(kind, tuple(row.split()[1:]), traits) for kind, traits, row in _ROWS
}
"""Every type that is accepted, by its media type."""

_ALIASES = {
    "video/x-m4v": "video/mp4",
    "application/vnd.rar": "application/x-rar-compressed",
    "image/heif": "image/heic",
    "audio/x-m4a": "audio/mp4",
    "audio/wav": "audio/x-wav",
    "audio/amr-wb": "audio/amr",
    "audio/opus": "audio/ogg",
    "text/rtf": "application/rtf",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file is; ``width``, ``height`` in pixels and ``seconds`` are None where unknown or meaningless."""

    kind: PartKind
    mime: str
    size: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    traits: frozenset[Trait] = frozenset()


def sniff(head: bytes, tail: bytes = b"", size: int = 0) -> Facts:
    """Return what a file is by its first ``HEAD`` and last ``TAIL`` bytes; what is not known is ``UNKNOWN``."""
    mime = mime_of(head)
    found = ACCEPTED.get(mime)
    kind, traits = (found.kind, found.traits) if found else (PartKind.FILE, frozenset())
    if _mixed(mime, head, tail):
        traits |= {Trait.MIXED}
    return Facts(kind, mime, size, traits=traits)


def mime_of(head: bytes) -> str:
    """Return the media type of a file that begins so."""
    if early := _voice(head) or _program(head) or _page(head):
        return early
    guessed = filetype.guess_mime(head) or ""
    guessed = _ALIASES.get(guessed, guessed)
    if head.startswith(b"PK\x03\x04"):
        return _zipped(head, guessed)
    if head.startswith(_OLE):
        return guessed if guessed in ACCEPTED else "application/x-ole-storage"
    return guessed or ("text/plain" if is_text(head) else UNKNOWN)


def is_text(head: bytes) -> bool:
    """Return whether bytes are text in UTF-8, UTF-16 with a mark, or GB18030 (perhaps cut in a character)."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if not head or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    return any(_decodes(head, charset) for charset in ("utf-8", "gb18030"))


def judge(facts: Facts, limits: Limits) -> Breach | None:
    """Return the first rule that a file breaks, None if it is accepted."""
    if facts.size == 0:
        return Breach(Refusal.EMPTY, facts.kind)
    if facts.mime not in ACCEPTED:
        return Breach(Refusal.TYPE, facts.kind)
    limit = limits.of(facts.kind)
    if facts.size > limit.size:
        return Breach(Refusal.SIZE, facts.kind, limit.size)
    if limit.pixels and (facts.width or 0) * (facts.height or 0) > limit.pixels:
        return Breach(Refusal.PIXELS, facts.kind, limit.pixels)
    if limit.seconds and (facts.seconds or 0) > limit.seconds:
        return Breach(Refusal.SECONDS, facts.kind, limit.seconds)
    return None


def safe_name(name: str, mime: str) -> str:
    """Return a name that is no path, holds no control or direction characters, is short, and ends as its type does."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(mark for mark in name if unicodedata.category(mark)[0] != "C" and mark not in '<>:"|?*%')
    name = " ".join(name.split()).strip(". ")
    endings = ACCEPTED[mime].endings if mime in ACCEPTED else ("bin",)
    stem, dot, ending = name.rpartition(".")
    if not dot or ending.lower() not in endings:
        stem, ending = name, endings[0]
    stem = stem.strip(". ")[: NAME_LENGTH - len(ending) - 1] or "文件"
    return f"_{stem}.{ending}" if _RESERVED.fullmatch(stem) else f"{stem}.{ending}"


def _voice(head: bytes) -> str:
    if b"#!SILK_V3" in head[:10]:
        return "audio/silk"
    return "audio/amr" if head.startswith(b"#!AMR") else ""


def _program(head: bytes) -> str:
    return "application/x-executable" if head.startswith((*_PROGRAMS, b"#!")) else ""


def _page(head: bytes) -> str:
    begin = _PAGE_START.match(head.removeprefix(b"\xef\xbb\xbf")[:2048])
    if begin is None:
        return ""
    tag = b" ".join(begin[1].lower().split())
    if tag == b"svg" or (head.lstrip().startswith(b"<?xml") and b"<svg" in head.lower()):
        return "image/svg+xml"
    return "text/html" if tag in _PAGE_TAGS else ""


def _zipped(head: bytes, guessed: str) -> str:
    if b"OFD.xml" in head:
        return "application/ofd"
    if b"AndroidManifest.xml" in head or head[30:].startswith(b"META-INF/MANIFEST.MF"):
        return "application/java-archive"
    return guessed if guessed in ACCEPTED else "application/zip"


def _mixed(mime: str, head: bytes, tail: bytes) -> bool:
    kind = mime.partition("/")[0]
    if kind not in {"image", "video", "audio"} and mime != "application/pdf":
        return False
    zip_behind = b"PK\x05\x06" in tail
    return zip_behind or (mime != "application/pdf" and bool(_PAGE.search(head) or _PAGE.search(tail)))


def _decodes(head: bytes, charset: str) -> bool:
    try:
        head.decode(charset)
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start >= HEAD - 4
    return True
