"""Looks into a file, inside the worker: measures, place and time, what a document or an archive holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

import av
import pillow_heif
from PIL import Image, ImageFile

from gateway.media import archives, silk
from normalizer import exif
from normalizer.media import ACCEPTED, Breach, NotAccepted, Refusal, Trait
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Callable

pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = None  # the pixels are counted here before anything is decoded
ImageFile.LOAD_TRUNCATED_IMAGES = False

GLANCE = (256, 256)
FRAMES = 1000
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFile|RichMedia)\b")
_PIECE = 1024 * 1024
_OVERLAP = 32


def examine(file: BinaryIO, mime: str, pixels: int, unpacked: int) -> dict[str, Any]:
    """Return what is to be known of a file; raises NotAccepted, or anything when the file is broken.

    ``pixels`` is the most that is decoded, ``unpacked`` the most bytes that an archive may unpack to.
    """
    kind = ACCEPTED[mime].kind
    looks: dict[PartKind, Callable[[], dict[str, Any]]] = {
        PartKind.IMAGE: lambda: _image(file, pixels),
        PartKind.VIDEO: lambda: _film(file),
        PartKind.VOICE: lambda: _voice(file, mime),
        PartKind.FILE: lambda: _document(file, mime, unpacked),
    }
    return looks[kind]()


def _image(file: BinaryIO, pixels: int) -> dict[str, Any]:
    with Image.open(file) as image:
        width, height = image.size
        facts: dict[str, Any] = {"width": width, "height": height}
        if width * height > pixels:
            return facts
        if getattr(image, "n_frames", 1) > FRAMES:
            raise NotAccepted(Breach(Refusal.BOMB, PartKind.IMAGE))
        taken = exif.read(image.getexif().tobytes())
        image.draft("RGB", GLANCE)
        image.load()  # a picture that cannot be shown is said to be broken now, while its sender is still there
    at = taken.taken_at.isoformat() if taken.taken_at else None
    return facts | {"taken_at": at, "lon": taken.lon, "lat": taken.lat}


def _film(file: BinaryIO) -> dict[str, Any]:
    with av.open(file, "r") as container:
        seconds = _seconds(container)
        if not container.streams.video:
            if not container.streams.audio:
                raise ValueError("neither picture nor sound")
            return {"kind": PartKind.VOICE, "seconds": seconds}
        video = container.streams.video[0]
        facts = {"width": video.width, "height": video.height, "seconds": seconds}
        next(container.decode(video))
    return facts


def _voice(file: BinaryIO, mime: str) -> dict[str, Any]:
    if mime == "audio/silk":
        return {"seconds": silk.seconds(file.read())}
    with av.open(file, "r") as container:
        sound = container.streams.audio[0]
        seconds = _seconds(container)
        if seconds is None or mime in {"audio/amr", "audio/aac"}:
            # These have no length of their own; what a player guesses from the rate is wrong for most.
            seconds = sum(_lasts(packet) for packet in container.demux(sound) if packet.size)
        else:
            next(container.decode(sound))
    return {"seconds": seconds}


def _lasts(packet: Any) -> float:
    return float(packet.duration * packet.time_base)


def _seconds(container: Any) -> float | None:
    return container.duration / av.time_base if container.duration else None


def _document(file: BinaryIO, mime: str, unpacked: int) -> dict[str, Any]:
    traits = set()
    if mime == "application/pdf":
        traits = {Trait.ACTIVE} if _acts(file) else set()
    elif Trait.UNLISTED not in ACCEPTED[mime].traits and mime in archives.READERS:
        held = archives.survey(file, mime, unpacked)
        traits = {Trait.ACTIVE} if any(name.endswith("vbaProject.bin") for name in held) else set()
    return {"traits": sorted(traits)}


def _acts(file: BinaryIO) -> bool:
    """Return whether a PDF names actions or embedded files (ISO 32000 12.6.4): it is a download only in any case."""
    held = b""
    while piece := file.read(_PIECE):
        if _ACTIVE.search(held + piece):
            return True
        held = piece[-_OVERLAP:]
    return False
