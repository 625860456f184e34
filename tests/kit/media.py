"""Files of every sort, made here: pictures with place and time, films, voices, archives that bite."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from fractions import Fraction
from typing import Any

import av
import pillow_heif
import pysilk
from PIL import Image

pillow_heif.register_heif_opener()

SCRIPT = "<script>alert(1)</script>"
PLACE = (36.195, 117.128)
"""Latitude and longitude that ``photo`` notes, as a telephone does."""


def photo(form: str = "JPEG", size: tuple[int, int] = (640, 480), *, exif: bool = True, **more) -> bytes:
    """A picture, red above and blue below, held sideways (EXIF orientation 6), with place, time and a script."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (0, size[1] // 2, size[0], size[1]))
    out = io.BytesIO()
    image.save(out, form, **({"exif": noted()} if exif else {}), **more)
    return out.getvalue()


def noted() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = SCRIPT
    exif[0x0132] = "2026:11:02 09:30:00"
    exif[0x8769] = {0x9003: "2026:11:02 09:30:00", 0x9011: "+08:00", 0x9286: SCRIPT.encode()}
    exif[0x8825] = {1: "N", 2: degrees(PLACE[0]), 3: "E", 4: degrees(PLACE[1])}
    return exif


def degrees(value: float) -> tuple[float, float, float]:
    whole = int(value)
    minutes = (value - whole) * 60
    return (whole, int(minutes), round((minutes - int(minutes)) * 60, 4))


def vast_png(side: int = 60_000) -> bytes:
    """A PNG of ``side`` squared pixels in a few kilobytes: only its header and a little of its data."""
    head = struct.pack("!2I5B", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + name + content + struct.pack("!I", zlib.crc32(name + content))


def film(
    seconds: float = 2.0,
    size: tuple[int, int] = (320, 240),
    *,
    sound: str = "aac",
    form: str = "mp4",
    codec: str = "libx264",
    turned: int = 0,
) -> bytes:
    """A film, red above and blue below, with a title and a place in its descriptions; ``turned`` as a telephone notes."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as target:
        target.metadata["title"] = SCRIPT
        target.metadata["location"] = "+36.1950+117.1280/"
        video: Any = target.add_stream(codec, rate=10, width=size[0], height=size[1], pix_fmt="yuv420p")
        if turned:
            video.set_display_rotation(turned)
        voice: Any = target.add_stream(sound, rate=16_000, layout="mono") if sound else None
        for number in range(int(seconds * 10)):
            picture = Image.new("RGB", size, (200, 30, number % 30))
            picture.paste((30, 30, 200), (0, size[1] // 2, size[0], size[1]))
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
        if voice is not None:
            _sing(target, voice, seconds)
    return out.getvalue()


def voice(form: str = "mp3", codec: str = "libmp3lame", seconds: float = 2.0, rate: int = 16_000) -> bytes:
    """A recording."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as target:
        _sing(target, target.add_stream(codec, rate=rate, layout="mono"), seconds)
    return out.getvalue()


def silk(seconds: float = 2.0) -> bytes:
    out = io.BytesIO()
    pysilk.encode(io.BytesIO(samples(seconds, 24_000)), out, 24_000, 24_000)
    return out.getvalue()


def samples(seconds: float, rate: int) -> bytes:
    return b"".join(struct.pack("<h", (n * 800) % 16_000 - 8000) for n in range(int(seconds * rate)))


def _sing(target, stream, seconds: float) -> None:
    rate = stream.rate
    raw = samples(seconds, rate)
    sampler = av.AudioResampler(
        format=stream.format.name, layout="mono", rate=rate, frame_size=stream.frame_size or 320
    )
    at = 0
    for start in range(0, len(raw), 2048):
        piece = raw[start : start + 2048]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(piece) // 2)
        frame.planes[0].update(piece + bytes(frame.planes[0].buffer_size - len(piece)))
        frame.rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        at += len(piece) // 2
        for ready in sampler.resample(frame):
            target.mux(stream.encode(ready))
    for ready in sampler.resample(None):
        target.mux(stream.encode(ready))
    target.mux(stream.encode(None))


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def zip_bomb() -> bytes:
    return zipped({"零.txt": bytes(64 * 1024 * 1024)})


def deep_zip(depth: int) -> bytes:
    content = zipped({"里面.txt": b"text"})
    for _ in range(depth):
        content = zipped({"里面.zip": content})
    return content


def linked_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


def tarred(*members: tuple[str, bytes | str]) -> bytes:
    """A tar of files (bytes) and symbolic links (where they lead)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def gzip_bomb() -> bytes:
    return gzip.compress(bytes(64 * 1024 * 1024))


def pdf(action: str = "") -> bytes:
    return f"%PDF-1.7\n1 0 obj\n<< /Type /Catalog {action} >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n".encode()


async def streamed(content: bytes, step: int = 64 * 1024):
    for start in range(0, len(content), step):
        yield content[start : start + step]
