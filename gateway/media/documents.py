"""Reads the words in documents, inside the worker: PDF by pypdf (the extra ``documents``), Word by its own XML.

What is in them is hostile: pages, characters and unpacked bytes have their limits here, time and memory in the worker.
A document that is locked by a password has no words.
"""

from __future__ import annotations

import zipfile
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

PDF = "application/pdf"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
READ = (PDF, WORD)
"""The types that are read."""
CHARACTERS = 20_000
PAGES = 200
UNPACKED = 16 * 1024 * 1024
"""Bytes of the XML of a Word document; one that has more has no words."""
_MAIN = "word/document.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n"}


def read(file: BinaryIO, mime: str) -> str:
    """Return the first ``CHARACTERS`` of a document; raises ImportError without the extra, anything for a broken file."""
    pieces = _pages(file) if mime == PDF else _paragraphs(file)
    words, length = [], 0
    for piece in pieces:
        words.append(piece[: CHARACTERS - length])
        length += len(words[-1]) + 1
        if length >= CHARACTERS:
            break
    return "\n".join(words).replace("\0", "").strip()


def _pages(file: BinaryIO) -> Iterator[str]:
    from pypdf import PasswordType, PdfReader  # noqa: PLC0415 - an extra of the distribution

    reader = PdfReader(file)
    if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
        return
    for page in islice(reader.pages, PAGES):
        yield page.extract_text()


def _paragraphs(file: BinaryIO) -> Iterator[str]:
    with zipfile.ZipFile(file) as archive, archive.open(_MAIN) as packed:
        content = packed.read(UNPACKED + 1)
    # No Word document declares a type; who does means to define entities. Without its zeros UTF-16 is seen through too.
    if len(content) > UNPACKED or b"<!DOCTYPE" in content.replace(b"\0", b""):
        return
    for paragraph in ET.fromstring(content).iter(f"{_W}p"):  # noqa: S314 - see above
        yield "".join(_text(each) for each in paragraph.iter())


def _text(element: ET.Element) -> str:
    return element.text or "" if element.tag == f"{_W}t" else _SIGNS.get(element.tag, "")
