"""The media store, on a folder and on an S3 server."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from aiohttp import ClientSession

from gateway.blobs import CHUNK, Blobs, LocalBlobs
from gateway.buckets import open_bucket
from gateway.settings import Bucket, load
from gateway.shelves import LocalShelf
from gateway.store.seal import Sealer
from normalizer.errors import Busy, InvalidInput, Misconfigured, NotFound
from tests.kit.media import streamed

SEALER = Sealer(bytes(32))
CONTENT = Random(1).randbytes(3 * CHUNK + 12_345)


@pytest.fixture(scope="module")
def s3_server():
    """A server that speaks S3 (moto), on a free port."""
    code = (
        "from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app\n"
        "from werkzeug.serving import make_server\n"
        "server = make_server('127.0.0.1', 0, DomainDispatcherApplication(create_backend_app), threaded=True)\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"MOTO_S3_DEFAULT_MAX_KEYS": "100"},
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


@pytest.fixture(params=["folder", "s3"])
async def shelf(request, tmp_path):
    if request.param == "folder":
        return LocalShelf(tmp_path / "media")
    server = request.getfixturevalue("s3_server")
    async with ClientSession() as http, http.put(f"{server}/bucket") as answer:
        assert answer.status == 200
    how = Bucket(endpoint=server, access_key="test", secret="test")
    return open_bucket(f"s3://bucket/{tmp_path.name}", how)


@pytest.fixture
def blobs(shelf):
    return Blobs(shelf, SEALER)


async def read(blobs, key, start=0, end=None):
    return b"".join([piece async for piece in blobs.open_range(key, start, end)])


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, len(CONTENT)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_stream_is_read_back_as_it_came(blobs, size):
    stored = await blobs.put_stream(streamed(CONTENT[:size], 70_000))
    assert await read(blobs, stored.key) == CONTENT[:size]
    assert (stored.size, await blobs.size(stored.key)) == (size, size)


RANGES = [(0, 1), (5, 5), (CHUNK - 1, CHUNK + 1), (CHUNK, 2 * CHUNK), (10, 3 * CHUNK), (len(CONTENT) - 1, len(CONTENT) + 9)]  # fmt: skip


@pytest.mark.parametrize(("start", "end"), RANGES)
async def test_any_range_is_opened(blobs, start, end):
    stored = await blobs.put_stream(streamed(CONTENT))
    assert await read(blobs, stored.key, start, end) == CONTENT[start:end]


async def test_the_same_content_has_the_same_key_and_another_another(blobs):
    first, again, other = [await blobs.put_stream(streamed(content)) for content in (b"a", b"a", b"b")]
    assert (first.key == again.key, first.key == other.key) == (True, False)


async def test_put_and_get_go_on_working(blobs):
    key = await blobs.put(b"hello")
    assert (await blobs.get(key), await blobs.put(b"hello")) == (b"hello", key)


async def test_what_is_deleted_is_gone(blobs):
    stored = await blobs.put_stream(streamed(b"a"))
    await blobs.delete(stored.key)
    await blobs.delete(stored.key)
    assert not await blobs.has(stored.key)
    for key in (stored.key, "0" * 64, "../../etc/passwd", ""):
        with pytest.raises(NotFound):
            await blobs.get(key)


async def test_a_stream_that_breaks_leaves_nothing(blobs):
    async def breaks():
        yield CONTENT
        raise ConnectionAbortedError

    with pytest.raises((ConnectionAbortedError, Busy)):
        await blobs.put_stream(breaks())
    assert await blobs.clear_incoming(0) == 0


async def test_what_was_received_and_never_kept_is_cleared(blobs):
    received = await blobs.receive(streamed(b"a"))
    assert await blobs.clear_incoming(3600) == 0
    assert await blobs.clear_incoming(0) == 1
    with pytest.raises(NotFound):
        await blobs.size_at(received.name)


async def test_a_file_of_before_is_read_as_ever(tmp_path):
    key = SEALER.hash_bytes(b"old content").hex()
    path = tmp_path / key[:2] / key
    path.parent.mkdir()
    path.write_bytes(SEALER.seal(b"old content"))
    blobs = LocalBlobs(tmp_path, SEALER)
    assert await blobs.get(key) == b"old content"
    assert (await blobs.size(key), await read(blobs, key, 4, 7)) == (11, b"con")
    assert await blobs.put(b"old content") == key


def swapped(raw: bytes) -> bytes:
    one = CHUNK + 53
    return raw[:8] + raw[8 + one : 8 + 2 * one] + raw[8 : 8 + one] + raw[8 + 2 * one :]


SPOILED = [
    ("a bit", lambda raw: raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:]),
    ("the end cut off", lambda raw: raw[:-100]),
    ("a chunk cut out", lambda raw: raw[:8] + raw[8 + CHUNK + 53 :]),
    ("two chunks exchanged", swapped),
]


@pytest.mark.parametrize(("label", "spoil"), SPOILED, ids=[row[0] for row in SPOILED])
async def test_a_file_that_was_changed_does_not_open(tmp_path, label, spoil):
    blobs = LocalBlobs(tmp_path, SEALER)
    stored = await blobs.put_stream(streamed(CONTENT))
    path = tmp_path / stored.key[:2] / stored.key
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InvalidInput):
        await read(blobs, stored.key)


async def test_what_another_process_cleared_is_no_fault(tmp_path, monkeypatch):
    blobs = LocalBlobs(tmp_path, SEALER)
    received = await blobs.receive(streamed(b"a"))
    glob = Path.glob
    # Both have seen the same files; the other was faster with one.
    monkeypatch.setattr(Path, "glob", lambda path, what: [path / "gone", *glob(path, what)])
    assert await blobs.clear_incoming(0) == 1
    with pytest.raises(NotFound):
        await blobs.size_at(received.name)


async def test_nothing_is_written_in_clear(tmp_path):
    await LocalBlobs(tmp_path, SEALER).put_stream(streamed("张三 13812345678".encode() * 9000))
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"13812345678" not in path.read_bytes()


async def test_a_bucket_that_does_not_answer_is_busy(tmp_path):
    how = Bucket(endpoint="http://127.0.0.1:9", access_key="a", secret="b")
    blobs = Blobs(open_bucket("s3://bucket", how), SEALER)
    with pytest.raises(Busy):
        await asyncio.wait_for(blobs.get("0" * 64), 60)


def test_an_address_of_another_kind_is_named():
    with pytest.raises(Misconfigured, match="s3://bucket"):
        load(None, {"JIESU_MEDIA": "ftp://x"})


def test_a_bucket_may_be_set_beside_a_configuration(tmp_path):
    path = tmp_path / "jiesu.toml"
    path.write_text('media = "s3://b/p"\n[s3]\nendpoint = "http://x"\naccess_key = "k"\nsecret = "hidden"\n')
    settings = load(path, {})
    assert settings.media == "s3://b/p"
    assert "hidden" not in repr(settings)
