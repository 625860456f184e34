import struct

import pytest

from normalizer import exif
from normalizer.media import (
    HEAD,
    Breach,
    Facts,
    Limit,
    Limits,
    Refusal,
    Trait,
    judge,
    mime_of,
    safe_name,
    sniff,
)
from normalizer.message import PartKind
from tests.kit import media

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
OOXML = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

TYPES = [
    ("a JPEG", b"\xff\xd8\xff\xe0" + bytes(30), "image/jpeg"),
    ("a PNG", PNG, "image/png"),
    ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    ("AMR", b"#!AMR\n\x3c", "audio/amr"),
    ("AMR, wide band", b"#!AMR-WB\n\x04", "audio/amr"),
    ("SILK as WeChat marks it", b"\x02#!SILK_V3\x0c\0", "audio/silk"),
    ("SILK", b"#!SILK_V3\x0c\0", "audio/silk"),
    ("MP3 with a description", b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
    ("MP4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video/mp4"),
    ("MOV", b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "video/quicktime"),
    ("PDF", b"%PDF-1.7\n", "application/pdf"),
    ("an old Word file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "application/x-ole-storage"),
    ("a zip", media.zipped({"a.txt": b"1"}), "application/zip"),
    ("OFD", media.zipped({"OFD.xml": b"<ofd/>"}), "application/ofd"),
    ("a Java program", media.zipped({"META-INF/MANIFEST.MF": b"1"}), "application/java-archive"),
    ("an Android program", media.zipped({"AndroidManifest.xml": b"1"}), "application/java-archive"),
    ("a tar", media.tarred(("a.txt", b"1")), "application/x-tar"),
    ("RAR", b"Rar!\x1a\x07\x01\0" + bytes(20), "application/x-rar-compressed"),
    ("text", "路灯坏了".encode(), "text/plain"),
    ("text in GB18030", "路灯坏了三天".encode("gb18030"), "text/plain"),
    ("text in UTF-16", "路灯".encode("utf-16"), "text/plain"),
    ("text that is cut in a character", ("路" * HEAD).encode()[:HEAD], "text/plain"),
    ("a page", b"<!DOCTYPE html><p>", "text/html"),
    ("a page behind a mark and spaces", b"\xef\xbb\xbf \n<HTML><p>", "text/html"),
    ("a page behind a remark", b"<!-- x --><script>1</script>", "text/html"),
    ("SVG", b'<svg xmlns="http://www.w3.org/2000/svg">', "image/svg+xml"),
    ("SVG as XML", b'<?xml version="1.0"?>\n<!-- x -->\n<svg>', "image/svg+xml"),
    ("a Windows program", b"MZ\x90\0" + bytes(60), "application/x-executable"),
    ("a Linux program", b"\x7fELF" + bytes(60), "application/x-executable"),
    ("a script", b"#!/bin/sh\n", "application/x-executable"),
    ("a Windows link", b"L\0\0\0\x01\x14\x02\0" + bytes(60), "application/x-executable"),
    ("nothing known", b"\x01\x02\x03\x04" * 20, "application/octet-stream"),
    ("nothing", b"", "application/octet-stream"),
]


@pytest.mark.parametrize(("label", "head", "mime"), TYPES, ids=[row[0] for row in TYPES])
def test_a_file_is_what_its_content_is(label, head, mime):
    assert mime_of(head) == mime


MIXED = [
    ("a photo", media.photo(exif=False), b"", False),
    ("a photo and a page behind it", PNG, b"\xff<html><body>", True),
    ("a photo and a zip behind it", PNG, b"PK\5\6" + bytes(18), True),
    (
        "a photo and a page in its comment",
        b"\xff\xd8\xff\xfe\0\x20<html><script>alert(1)</script>",
        b"",
        True,
    ),
    ("a PDF and a zip behind it", b"%PDF-1.7", b"PK\5\6" + bytes(18), True),
    ("a zip", media.zipped({"a": b"b"}), b"PK\5\6", False),
]


@pytest.mark.parametrize(("label", "head", "tail", "mixed"), MIXED, ids=[row[0] for row in MIXED])
def test_a_file_that_is_two_things_is_marked(label, head, tail, mixed):
    assert (Trait.MIXED in sniff(head, tail, 100).traits) is mixed


NAMES = [
    ("井盖.jpg", "image/jpeg", "井盖.jpg"),
    ("IMG.JPEG", "image/jpeg", "IMG.JPEG"),
    ("../../etc/passwd", "text/plain", "passwd.txt"),
    ("C:\\fakepath\\井盖.png", "image/png", "井盖.png"),
    ("page.html", "image/jpeg", "page.html.jpg"),
    ("photo.jpg", "application/pdf", "photo.jpg.pdf"),
    ("", "image/jpeg", "文件.jpg"),
    ("...", "image/jpeg", "文件.jpg"),
    (".htaccess", "text/plain", "htaccess.txt"),
    ("a\r\nSet-Cookie: x.jpg", "image/jpeg", "aSet-Cookie x.jpg"),
    ("井\u202egpj.exe", "application/pdf", "井gpj.exe.pdf"),
    ('a"<b>|?*.jpg', "image/jpeg", "ab.jpg"),
    ("CON", "text/plain", "_CON.txt"),
    ("长" * 300 + ".jpg", "image/jpeg", "长" * 76 + ".jpg"),
    ("a.b", "application/octet-stream", "a.b.bin"),
]


@pytest.mark.parametrize(("name", "mime", "expected"), NAMES)
def test_a_name_is_no_path_and_ends_as_its_type(name, mime, expected):
    assert safe_name(name, mime) == expected


LIMITS = Limits(Limit(100, pixels=1000), Limit(300, seconds=60), Limit(100, seconds=60), Limit(200), 5)

JUDGED = [
    ("a photo that fits", Facts(PartKind.IMAGE, "image/png", 100, 10, 100), None),
    ("a photo too large", Facts(PartKind.IMAGE, "image/png", 101), Breach(Refusal.SIZE, PartKind.IMAGE, 100)),
    ("too many pixels", Facts(PartKind.IMAGE, "image/png", 9, 11, 100), Breach(Refusal.PIXELS, PartKind.IMAGE, 1000)),
    ("a film that fits", Facts(PartKind.VIDEO, "video/mp4", 300, 9999, 9999, 60), None),
    ("a film too long", Facts(PartKind.VIDEO, "video/mp4", 9, 1, 1, 60.1), Breach(Refusal.SECONDS, PartKind.VIDEO, 60)),
    ("an unknown type", Facts(PartKind.FILE, "text/html", 9), Breach(Refusal.TYPE, PartKind.FILE)),
    ("nothing", Facts(PartKind.FILE, "text/plain", 0), Breach(Refusal.EMPTY, PartKind.FILE)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "facts", "breach"), JUDGED, ids=[row[0] for row in JUDGED])
def test_a_file_is_judged_by_one_table(label, facts, breach):
    assert judge(facts, LIMITS) == breach


def test_place_and_time_of_a_photo_are_read_in_both_orders_of_bytes():
    for order in ("<", ">"):
        found = exif.read(block(order))
        assert found.taken_at is not None
        assert found.taken_at.isoformat() == "2026-11-02T09:30:00+08:00"
        assert (found.lat, found.lon) == (-36.195, 117.128)


def block(order: str) -> bytes:
    """An EXIF block with time, offset, and a place south of the equator."""

    def entry(tag: int, kind: int, count: int, value: int | bytes) -> bytes:
        packed = value if isinstance(value, bytes) else struct.pack(order + "I", value)
        return struct.pack(order + "HHI", tag, kind, count) + packed

    def ratios(degrees: int, minutes: int, thousandths: int) -> bytes:
        return struct.pack(order + "6I", degrees, 1, minutes, 1, thousandths, 1000)

    taken, offset = b"2026:11:02 09:30:00\0", b"+08:00\0"
    lat, lon = ratios(36, 11, 42_000), ratios(117, 7, 40_800)
    first_at, inner_at, gps_at = 8, 38, 68
    data_at = 122
    first = (
        struct.pack(order + "H", 2) + entry(0x8769, 4, 1, inner_at) + entry(0x8825, 4, 1, gps_at) + bytes(4)
    )
    inner = struct.pack(order + "H", 2)
    inner += entry(0x9003, 2, 20, data_at) + entry(0x9011, 2, 7, data_at + 20) + bytes(4)
    gps = struct.pack(order + "H", 4) + entry(1, 2, 2, b"S\0\0\0") + entry(2, 5, 3, data_at + 27)
    gps += entry(3, 2, 2, b"E\0\0\0") + entry(4, 5, 3, data_at + 51) + bytes(4)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, first_at)
    return head + first + inner + gps + taken + offset + lat + lon


BROKEN = [
    ("nothing", b""),
    ("no EXIF", b"hello"),
    ("a head alone", b"II*\0"),
    ("a table that begins behind the end", b"II*\0\xff\xff\xff\xff"),
    ("a table that ends behind the end", b"II*\0\x08\0\0\0\xff\xff"),
    ("a table that is its own subtable", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0"),
]


@pytest.mark.parametrize(("label", "content"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_exif_block_says_nothing(label, content):
    assert exif.read(content) == exif.Exif()


@pytest.mark.parametrize("cut", range(0, 190, 7))
def test_an_exif_block_cut_anywhere_harms_nobody(cut):
    exif.read(block("<")[:cut])
