"""An upload over kill -9: what was answered is there, and another process goes on."""

import asyncio
import hashlib
import io
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.media.links import Grant, Links
from gateway.media.pieces import SIZE as PIECE
from gateway.store.seal import Sealer, load_key
from tests.kit.process import configure, served
from tests.kit.tus import OFFSETS, TUS, film

pytestmark = pytest.mark.acceptance

SIZE = 6 * PIECE
TOKEN_LIVES = timedelta(hours=1)


async def test_an_upload_goes_on_after_kill_9_in_another_process(database, tmp_path):
    content = film(SIZE)
    config = configure(tmp_path, database)
    with served(config) as (process, url):
        place = await begun(url, tmp_path / "key")
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"PATCH {place} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        writer.write(f"{head}Content-Type: {OFFSETS}\r\nContent-Length: {SIZE}\r\n\r\n".encode())
        writer.write(content[: 3 * PIECE + 1000])
        await writer.drain()
        before = await offset(url, place)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        writer.close()
    assert before > 0
    with served(config) as (_, url):
        at = await offset(url, place)
        assert at >= before
        headers = TUS | {"Upload-Offset": str(at), "Content-Type": OFFSETS}
        async with ClientSession() as http:
            async with http.patch(url + place, data=io.BytesIO(content[at:]), headers=headers) as answer:
                assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(SIZE))
            assert await sealed_digest(database, tmp_path) == hashlib.sha256(content).hexdigest()


async def begun(url: str, key: Path) -> str:
    links = Links(Sealer(load_key(key)).hash, lambda: datetime.now(UTC))
    until = int((datetime.now(UTC) + TOKEN_LIVES).timestamp())
    token = links.grant(Grant("draft", 10 * SIZE, 5, until))
    asked = TUS | {"Upload-Length": str(SIZE), "Authorization": f"Bearer {token}"}
    async with ClientSession() as http, http.post(f"{url}/uploads", headers=asked) as answer:
        assert answer.status == 201, await answer.text()
        return answer.headers["Location"]


async def offset(url: str, place: str) -> int:
    async with ClientSession() as http, http.head(url + place, headers=TUS) as answer:
        assert answer.status == 200
        return int(answer.headers["Upload-Offset"])


async def sealed_digest(database: str, folder: Path) -> str:
    """What the store holds, opened with the key and added up."""
    from gateway.app import running  # noqa: PLC0415
    from tests.kit.gateway import settings  # noqa: PLC0415

    async with running(settings(database, folder, media=f"file://{folder}/jiesu.media")) as gateway:
        (taken,) = await gateway.media.uploads.of("draft")
        content = await gateway.media.blobs.get(taken.key)
        return hashlib.sha256(content).hexdigest()
