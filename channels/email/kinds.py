"""What a file is, by its content: a name and a claimed type are only what the sender says."""

from __future__ import annotations

_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp3gp", "video/3gpp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf'\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"#!", "text/x-script"),
)
"""Offset, bytes, type; the first that holds wins, so that the longer marks stand first."""

_ZIPPED = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"OFD.xml", "application/ofd"),
)
_MARKUP = (b"<!doctype html", b"<html", b"<script", b"<svg")
_RIFF = frozenset({b"WEBP", b"AVI ", b"WAVE"})


def kind_of(content: bytes, claimed: str) -> str:
    """Return the media type that the content shows, or the claimed one where it shows none."""
    if content.startswith(b"PK\x03\x04"):
        return next((kind for mark, kind in _ZIPPED if mark in content[:4096]), "application/zip")
    for offset, mark, kind in _MARKS:
        if content.startswith(mark, offset) and (mark not in _RIFF or content.startswith(b"RIFF")):
            return kind
    head = content[:512].lstrip().lower()
    if head.startswith(_MARKUP):
        return "image/svg+xml" if b"<svg" in head else "text/html"
    return claimed
