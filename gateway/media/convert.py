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
_SHOWN = frozenset({"yuv420p", "yuvj420p", None})
"""What every browser plays in an MP4; anything else (HEVC of a telephone, 3GP) is made into it."""
FILM = 1280
FAST = {"preset": "ultrafast", "crf": "26"}


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
        return _turned(first)


def _voice(file: BinaryIO, mime: str, hand: Hand) -> dict[str, Any]:
    source = silk.to_wave(file.read()) if mime == "audio/silk" else file
    out = io.BytesIO()
    with av.open(source, "r") as heard, av.open(out, "w", format="mp3") as made:
        sound = made.add_stream("libmp3lame", rate=VOICE_RATE, layout="mono", bit_rate=VOICE_BITS)
        sampler = av.AudioResampler(format="s16p", layout="mono", rate=VOICE_RATE)
        for packet in heard.demux(heard.streams.audio[0]):
            for frame in _frames(packet):
                frame.pts = None
                _mux(made, sound, sampler.resample(frame))
        _mux(made, sound, sampler.resample(None))
        made.mux(sound.encode(None))
    out.seek(0)
    hand("play", "audio/mpeg", out)
    return {}


def _frames(packet: Any) -> list[Any]:
    """Return what a packet holds; one that was spoiled is left out, and the rest is still heard and seen."""
    try:
        frames: list[Any] = packet.decode()
    except av.error.InvalidDataError:
        return []
    return frames


def _mux(made: Any, sound: Any, frames: list[Any]) -> None:
    for frame in frames:
        made.mux(sound.encode(frame))


def _film(file: BinaryIO, hand: Hand) -> dict[str, Any]:
    """Make an MP4 without descriptions: what every browser plays is copied as it is, anything else is made anew.

    It lies in memory, not on the disk.
    """
    made = os.memfd_create("film")
    with os.fdopen(made, "rb") as content:
        with (
            av.open(file, "r") as source,
            av.open(f"/proc/self/fd/{made}", "w", format="mp4", options={"movflags": "faststart"}) as target,
        ):
            tracks = [_track(target, kept) for kept in (*source.streams.video[:1], *source.streams.audio[:1])]
            for packet in source.demux([track.source for track in tracks]):
                for track in tracks:
                    if packet.stream.index == track.source.index:
                        track.take(packet)
            for track in tracks:
                track.end()
        hand("play", "video/mp4", content)
    return {}


def _track(target: Any, kept: Any) -> Any:
    codec = kept.codec_context
    if codec.name in _PLAYED and getattr(codec, "pix_fmt", None) in _SHOWN:
        return _Copied(target, kept)
    return _Pictures(target, kept) if kept.type == "video" else _Sound(target, kept)


class _Copied:
    def __init__(self, target: Any, source: Any) -> None:
        self.source, self._target = source, target
        self._made = target.add_stream_from_template(source)
        self._made.metadata.clear()

    def take(self, packet: Any) -> None:
        if packet.dts is not None:
            packet.stream = self._made
            self._target.mux(packet)

    def end(self) -> None:
        """Nothing is held back."""


class _Pictures:
    """Made anew in H.264, at most ``FILM`` pixels long, upright."""

    def __init__(self, target: Any, source: Any) -> None:
        self.source, self._target = source, target
        first = next(source.container.decode(source))
        source.container.seek(0)
        turned = _upright(first)
        width, height = _fit(turned.width, turned.height)
        rate = source.average_rate or 25
        self._made = target.add_stream(
            "libx264", rate=rate, width=width, height=height, pix_fmt="yuv420p", options=FAST
        )
        self._made.time_base = first.time_base

    def take(self, packet: Any) -> None:
        for frame in _frames(packet):
            scaled = _upright(frame).reformat(self._made.width, self._made.height, "yuv420p")
            scaled.pts, scaled.time_base = frame.pts, frame.time_base
            scaled.pict_type = 0
            self._target.mux(self._made.encode(scaled))

    def end(self) -> None:
        self._target.mux(self._made.encode(None))


class _Sound:
    """Made anew in AAC."""

    def __init__(self, target: Any, source: Any) -> None:
        self.source, self._target = source, target
        rate = source.rate or 44_100
        self._made = target.add_stream("aac", rate=rate, layout="stereo")
        self._sampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)

    def take(self, packet: Any) -> None:
        for frame in _frames(packet):
            _mux(self._target, self._made, self._sampler.resample(frame))

    def end(self) -> None:
        _mux(self._target, self._made, self._sampler.resample(None))
        self._target.mux(self._made.encode(None))


def _fit(width: int, height: int) -> tuple[int, int]:
    """Return even sides, the longer at most ``FILM``."""
    scale = min(1.0, FILM / max(width, height))
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def _upright(frame: Any) -> Any:
    """Return a picture as it is to be seen: telephones note in the film how they were held."""
    if not frame.rotation:
        return frame
    make: Callable[[Image.Image], Any] = av.VideoFrame.from_image
    return make(_turned(frame))


def _turned(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
