"""The words in PDF and Word files are read for the search, and no file takes more than its share."""

import io
import zipfile

import pytest

from gateway.media import documents, reading
from gateway.media.documents import PDF, WORD
from gateway.media.intake import Claim
from gateway.media.workers import Job, Workers
from normalizer.errors import Misconfigured
from normalizer.media import NotAccepted
from tests.kit import media
from tests.kit.gateway import embedded, running, settings

needs_pypdf = pytest.mark.skipif(not reading.installed("pypdf"), reason="needs jiesu[documents]")
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
    f'PartName="/word/document.xml" ContentType="{WORD}.main+xml"/></Types>'
)


@pytest.fixture
def database(tmp_path):
    return embedded(tmp_path)


@needs_pypdf
async def test_a_pdf_and_a_word_file_are_read_once_and_are_found(gateway):
    files = {"合同.pdf": printed("押金两千元"), "投诉.docx": typed("人民路", "路灯不亮")}
    for name, content in files.items():
        await gateway.media.intake.take(media.streamed(content), Claim("draft", name))
    done = [await gateway.media.reading.read_some(9, reading.PAPERS) for _ in range(2)]
    assert done == [2, 0]
    taken = await gateway.media.uploads.of("draft")
    assert sorted(each.words for each in taken) == ["人民路\n路灯不亮", "押金两千元"]


async def test_a_word_file_keeps_its_lines_and_tabs():
    runs = "<w:r><w:t>甲</w:t><w:tab/><w:t>乙</w:t><w:br/><w:t>丙</w:t></w:r>"
    assert documents.read(io.BytesIO(_word(f"<w:p>{runs}</w:p>")), WORD) == "甲\t乙\n丙"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: _word("", begin='<!DOCTYPE a [<!ENTITY b "c">]>'), id="entities"),
        pytest.param(
            lambda: _word("", begin='<!DOCTYPE a [<!ENTITY b "c">]>', code="utf-16"), id="in UTF-16"
        ),
        pytest.param(lambda: typed("x" * (documents.UNPACKED + 1)), id="too much when unpacked"),
    ],
)
def test_a_word_file_that_is_none_has_no_words(content):
    assert documents.read(io.BytesIO(content()), WORD) == ""


def test_of_a_long_document_the_beginning_is_read():
    words = documents.read(io.BytesIO(typed(*["字" * 999] * 40)), WORD)
    assert len(words) <= documents.CHARACTERS
    assert words.startswith("字" * 999 + "\n")


@needs_pypdf
def test_of_many_pages_the_first_are_read(monkeypatch):
    monkeypatch.setattr(documents, "PAGES", 2)
    assert documents.read(io.BytesIO(printed("一", "二", "三")), PDF) == "一\n二"


@needs_pypdf
@pytest.mark.parametrize(("password", "words"), [("secret", ""), ("", "押金")])
def test_a_pdf_that_is_locked_has_no_words(password, words):
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 - an extra

    writer, out = PdfWriter(PdfReader(io.BytesIO(printed("押金")))), io.BytesIO()
    writer.encrypt(password, "owner", algorithm="AES-256")
    writer.write(out)
    assert documents.read(out, PDF) == words


@needs_pypdf
@pytest.mark.parametrize(
    ("mime", "content"),
    [(PDF, b"%PDF-1.7\n" + b"\0" * 99), (WORD, media.zipped({"word/other.xml": b"x"})), (WORD, b"PK")],
)
async def test_a_broken_document_breaks_no_worker(mime, content):
    async def part(start, end):
        yield content[start:end]

    async def nothing(stream):
        raise AssertionError

    workers = Workers(1)
    try:
        for _ in range(2):
            with pytest.raises(NotAccepted):
                await workers.do(Job("read", mime, len(content)), part, nothing)
        assert len(workers._all) == 1
    finally:
        await workers.close()


@pytest.mark.skipif(reading.installed("pypdf"), reason="only where it is not installed")
async def test_reading_without_its_extra_says_what_to_install(database, tmp_path):
    with pytest.raises(Misconfigured, match=r"jiesu\[documents\]"):
        async with running(settings(database, tmp_path, documents=True)):
            pass


def typed(*paragraphs: str) -> bytes:
    """A Word file of some paragraphs."""
    return _word("".join(f"<w:p><w:r><w:t>{each}</w:t></w:r></w:p>" for each in paragraphs))


def _word(body: str, begin: str = "", code: str = "utf-8") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        document = f'{begin}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", document.encode(code))
    return out.getvalue()


def printed(*pages: str) -> bytes:
    """A PDF of some pages, whose font says which characters its glyphs are."""
    glyphs = {sign: number for number, sign in enumerate(sorted(set("".join(pages))), 1)}
    pairs = "".join(f"<{number:04x}> <{sign.encode('utf-16-be').hex()}>\n" for sign, number in glyphs.items())
    space = "1 begincodespacerange <0000> <ffff> endcodespacerange"
    cmap = f"begincmap {space} {len(glyphs)} beginbfchar\n{pairs}endbfchar endcmap"
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(len(pages)))
    under = "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /F /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    things = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        f"<< /Type /Font /Subtype /Type0 /BaseFont /F /Encoding /Identity-H /ToUnicode 4 0 R /DescendantFonts [{under}] >>",
        _stream(cmap),
    ]
    for number, page in enumerate(pages):
        shown = "".join(f"{glyphs[sign]:04x}" for sign in page)
        use = f"/Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 300 300] /Contents {6 + 2 * number} 0 R"
        things += [
            f"<< /Type /Page /Parent 2 0 R {use} >>",
            _stream(f"BT /F1 12 Tf 20 200 Td <{shown}> Tj ET"),
        ]
    out, places = "%PDF-1.7\n", []
    for number, thing in enumerate(things, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{thing}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(things) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return (out + end).encode()


def _stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
