"""How fast do files come in and copies go out? Each figure beside a floor of the same run (``script/bench media``).

A whole gateway runs in a process of its own. Uploads come by tus over loopback; the floor is a raw copy of the same
file to the same disk, synced. Every upload's answer says that all its bytes are there; the files are counted. Memory
is the gateway's own peak, its workers apart. The floor of thumbnails is Pillow alone.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import ClientSession, ClientTimeout
from PIL import Image

from gateway import app as gateway
from gateway.doctor import sync_seconds
from gateway.media.intake import Claim
from gateway.media.links import Grant, Links, Variant
from gateway.runtime import now
from gateway.settings import load
from gateway.store.seal import Sealer, load_key
from tests.bench import apart
from tests.kit import media
from tests.kit.process import configure, served

MB = 1024 * 1024
ROUNDS = 3
SIZE_MB = 200
PARALLEL, PARALLEL_MB = 20, 100
PHOTOS = 60
PIXELS = (4000, 3000)
OFFSETS = "application/offset+octet-stream"
PATIENCE = ClientTimeout(total=900)
LIVES = timedelta(hours=6)


class Film:
    """A film that plays, made large by an ignored box behind it; no two are alike."""

    def __init__(self, size: int, seed: int) -> None:
        made = media.film()
        free = size - len(made)
        self.size = size
        self._head = made + free.to_bytes(4, "big") + b"free" + seed.to_bytes(8, "big")
        self._body = random.Random(seed).randbytes(MB)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield it."""
        yield self._head
        left = self.size - len(self._head)
        while left > 0:
            yield self._body[:left]
            left -= MB


def copied(folder: Path, size: int) -> float:
    """Return how many MB a second a raw copy of a file to the same disk makes, synced."""
    source, target = folder / "source", folder / "target"
    block = os.urandom(MB)
    with source.open("wb") as file:
        for _ in range(size // MB):
            file.write(block)
    began = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as written:
        while piece := read.read(MB):
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    taken = time.perf_counter() - began
    for path in (source, target):
        path.unlink()
    return size / MB / taken


async def upload(http: ClientSession, url: str, token: str, film: Film) -> None:
    """Upload a film in one request; raises AssertionError unless all of it is there."""
    asked = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(film.size),
        "Authorization": f"Bearer {token}",
    }
    async with http.post(f"{url}/uploads", headers=asked) as answer:
        assert answer.status == 201, await answer.text()
        place = url + answer.headers["Location"]
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": OFFSETS,
        "Content-Length": str(film.size),
    }
    async with http.patch(place, data=film.stream(), headers=headers) as answer:
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(film.size)), await answer.text()


def uploads(folder: Path, count: int, size: int) -> dict[str, Any]:
    """Return MB a second of ``count`` uploads at once to a gateway of its own, and the gateway's peak of memory."""
    config = configure(folder, f"sqlite:///{folder}/jiesu.sqlite3")
    with served(config) as (process, url):
        links = Links(Sealer(load_key(folder / "key")).hash, now)
        films = [Film(size, seed) for seed in range(count)]

        async def all_at_once() -> float:
            async with ClientSession(timeout=PATIENCE) as http:
                began = time.perf_counter()
                until = int((now() + LIVES).timestamp())
                tokens = [links.grant(Grant(f"owner-{n}", size, 1, until)) for n in range(count)]
                await asyncio.gather(
                    *(upload(http, url, token, film) for token, film in zip(tokens, films, strict=True))
                )
                return time.perf_counter() - began

        taken = uvloop.run(all_at_once())
        memory = apart.peak_mb(process.pid)
    kept = [path for path in (folder / "jiesu.media").glob("??/*") if path.stat().st_size > size]
    return {"rate": count * size / MB / taken, "memory_mb": memory, "kept": len(kept)}


def photos(count: int) -> list[bytes]:
    """Return photos of twelve million pixels, no two alike, with detail as a camera's have."""
    noise = Image.effect_noise((500, 375), 60).convert("RGB")
    made = []
    for number in range(count):
        picture = noise.rotate(number).resize(PIXELS)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=88, exif=media.noted())
        made.append(out.getvalue())
    return made


def thumbnails(folder: str, count: int) -> dict[str, Any]:
    """Return thumbnails a second of a gateway's pool, and of Pillow alone in this process."""
    return uvloop.run(_thumbnails(Path(folder), count))


async def _thumbnails(folder: Path, count: int) -> dict[str, Any]:
    apart.quiet()
    made = photos(count)
    began = time.perf_counter()
    for content in made:
        _alone(content)
    floor = count / (time.perf_counter() - began)
    settings = load(configure(folder, f"sqlite:///{folder}/jiesu.sqlite3"), {})
    async with gateway.running(settings) as running:
        room = running.media
        began = time.perf_counter()
        for content in made:
            await room.intake.take(media.streamed(content), Claim("bench"))
        taken_in = count / (time.perf_counter() - began)
        owned = [(taken.owner, taken.key) for taken in await room.uploads.of("bench")]
        began = time.perf_counter()
        await asyncio.gather(*(room.derive.copy_of(*each, Variant.THUMB) for each in owned))
        rate = count / (time.perf_counter() - began)
    return {"rate": rate, "pillow_alone": floor, "taken_in_rate": taken_in, "made": len(owned)}


def _alone(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (320, 320))
        image.thumbnail((320, 320))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=82)
        return out.getvalue()


def measure(size_mb: int, parallel: int, parallel_mb: int, count: int) -> dict[str, Any]:
    """Measure the floors and the whole once, one after the other."""
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as name:
        raw = copied(Path(name), size_mb * MB)
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as name:
        one = uploads(Path(name), 1, size_mb * MB)
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as name:
        many = uploads(Path(name), parallel, parallel_mb * MB)
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as name:
        thumbs = apart.alone(thumbnails, name, count)
    return {
        "copy_mb_s": raw,
        "upload_mb_s": one["rate"],
        "upload_of_copy": one["rate"] / raw,
        "upload_memory_mb": one["memory_mb"],
        "parallel_mb_s": many["rate"],
        "parallel_of_copy": many["rate"] / raw,
        "parallel_memory_mb": many["memory_mb"],
        "parallel_kept": many["kept"],
        "thumbs_s": thumbs["rate"],
        "thumbs_of_pillow": thumbs["rate"] / thumbs["pillow_alone"],
        "taken_in_s": thumbs["taken_in_rate"],
        "thumbs_made": thumbs["made"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench media", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--size-mb", type=int, default=SIZE_MB, help="of the one upload")
    parser.add_argument("--parallel", type=int, default=PARALLEL)
    parser.add_argument("--parallel-mb", type=int, default=PARALLEL_MB, help="of each parallel upload")
    parser.add_argument("--photos", type=int, default=PHOTOS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder:
        sync = sync_seconds(Path(folder))
    rounds = [
        measure(given.size_mb, given.parallel, given.parallel_mb, given.photos) for _ in range(given.rounds)
    ]
    report = {"fsync_p50_ms": round(sync * 1000, 3), "size_mb": given.size_mb}
    report |= {"parallel": given.parallel, "parallel_each_mb": given.parallel_mb}
    report |= apart.middle(rounds, exact=("parallel_kept", "thumbs_made"))
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        apart.show(report)


if __name__ == "__main__":
    main()
