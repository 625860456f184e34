"""Makes the copies that leave, inside the worker: small, playable, and without place, time, maker or script.

Each copy is made anew from the decoded picture or sound (of a video: from its packed pictures and sounds, without any
of its descriptions), so nothing that was hidden in the file comes along.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import av
from PIL import Image, ImageOps

from gateway.media import silk

if TYPE_CHECKING:
    from collections.abc import Callable

    Hand = Callable[[str, str, BinaryIO], None]

THUMB, PREVIEW = 320, 2048
"""Pixels of the longer side."""
QUALITY = 82
VOICE_RATE = 24_000
VOICE_BITS = 48_000
_POSTER_AT = 1.0
_PLAYED = frozenset({"h264", "aac", "mp3"})
"""What every browser plays in an MP4; anything else is made into it."""


def convert(file: BinaryIO, mime: str, task: str, hand: Hand) -> dict[str, Any]:
    """Make what the task names (``thumb``, ``preview``, ``poster``, ``play``) and hand it out; raises anything."""
    if task == "play":
        return _voice(file, mime, hand) if mime.startswith("audio/") else _film(file, hand)
    if mime.startswith("video/"):
        return _picture(_poster(file), task, hand)
    with Image.open(file) as image:
        return _picture(image, task, hand)


def _picture(image: Image.Image, task: str, hand: Hand) -> dict[str, Any]:
    side = THUMB if task == "thumb" else PREVIEW
    image.draft("RGB", (side, side))
    image.thumbnail((side * 2, side * 2), reducing_gap=2.0)
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((side, side))
    out = io.BytesIO()
    # The name and the colours of the new picture are all that it has: no EXIF, no comment, no profile.
    clean = _on_white(upright)
    clean.info.clear()
    clean.save(out, "JPEG", quality=QUALITY, optimize=False)
    out.seek(0)
    hand(task, "image/jpeg", out)
    return {"width": clean.width, "height": clean.height}


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in {"RGB", "L"}:
        return image
    layered = image.convert("RGBA")
    ground = Image.new("RGB", layered.size, "white")
    ground.paste(layered, mask=layered.getchannel("A"))
    return ground


def _poster(file: BinaryIO) -> Image.Image:
    with av.open(file, "r") as container:
        video = container.streams.video[0]
        first: Any = None
        for frame in container.decode(video):
            first = frame
            if frame.time >= _POSTER_AT:
                break
        if first is None:
            raise ValueError("no picture")
        picture: Image.Image = first.to_image()
        return picture


def _voice(file: BinaryIO, mime: str, hand: Hand) -> dict[str, Any]:
    source = silk.to_wave(file.read()) if mime == "audio/silk" else file
    out = io.BytesIO()
    with av.open(source, "r") as heard, av.open(out, "w", format="mp3") as made:
        sound = made.add_stream("libmp3lame", rate=VOICE_RATE, layout="mono", bit_rate=VOICE_BITS)
        sampler = av.AudioResampler(format="s16p", layout="mono", rate=VOICE_RATE)
        for frame in heard.decode(heard.streams.audio[0]):
            frame.pts = None
            _mux(made, sound, sampler.resample(frame))
        _mux(made, sound, sampler.resample(None))
        made.mux(sound.encode(None))
    out.seek(0)
    hand("play", "audio/mpeg", out)
    return {}


def _mux(made: Any, sound: Any, frames: list[Any]) -> None:
    for frame in frames:
        made.mux(sound.encode(frame))


def _film(file: BinaryIO, hand: Hand) -> dict[str, Any]:
    """Copy pictures and sounds as they are into an MP4 without descriptions; it lies in memory, not on the disk."""
    made = os.memfd_create("film")
    with os.fdopen(made, "rb") as content:
        with (
            av.open(file, "r") as source,
            av.open(f"/proc/self/fd/{made}", "w", format="mp4", options={"movflags": "faststart"}) as target,
        ):
            streams = {}
            for kept in (*source.streams.video[:1], *source.streams.audio[:1]):
                if kept.codec_context.name not in _PLAYED:
                    raise ValueError("no browser plays it")
                copy = target.add_stream_from_template(kept)
                copy.metadata.clear()
                streams[kept.index] = copy
            for packet in source.demux([source.streams[index] for index in streams]):
                if packet.dts is None:
                    continue
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
        hand("play", "video/mp4", content)
    return {}
