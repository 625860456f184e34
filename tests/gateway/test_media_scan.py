"""The scanner: what clamd says, and a clamd that is away or speaks nonsense."""

import asyncio
import hashlib
import shutil

import pytest

from gateway.media.intake import Claim
from gateway.media.scan import Scan, Scanner
from normalizer.media import NotAccepted, Refusal
from tests.kit import media
from tests.kit.gateway import embedded, running, settings
from tests.kit.ports import free_port

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """Speaks INSTREAM as clamd's manual says, and finds the test virus; ``says`` overrides its answer."""

    def __init__(self, says: bytes | None = None) -> None:
        self.says = says
        self.seen: list[bytes] = []

    async def answer(self, reader, writer):
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(length)
        self.seen.append(content)
        found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
        writer.write(found if self.says is None else self.says)
        writer.close()


@pytest.fixture
async def clamd():
    scanner = Clamd()
    server = await asyncio.start_server(scanner.answer, "127.0.0.1", 0)
    scanner.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield scanner
    server.close()


@pytest.fixture
async def database(tmp_path):
    return embedded(tmp_path)


async def test_a_clean_file_is_scanned_whole(clamd):
    content = b"road lamp" * 100_000
    assert await Scanner(clamd.address).scan(media.streamed(content)) is Scan.CLEAN
    assert clamd.seen == [content]


async def test_a_virus_is_found(clamd):
    assert await Scanner(clamd.address).scan(media.streamed(EICAR)) is Scan.FOUND


AWAY = [("nonsense", b"INSTREAM size limit exceeded. ERROR\0"), ("nothing", b"")]


@pytest.mark.parametrize(("label", "says"), AWAY, ids=[row[0] for row in AWAY])
async def test_a_scanner_that_says_nothing_of_use_has_not_scanned(clamd, label, says):
    clamd.says = says
    assert await Scanner(clamd.address).scan(media.streamed(EICAR)) is Scan.AWAY


async def test_a_scanner_that_does_not_answer_has_not_scanned():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await Scanner(address, 0.2).scan(media.streamed(b"a")) is Scan.AWAY
    server.close()
    await server.wait_closed()
    assert await Scanner(address).scan(media.streamed(b"a")) is Scan.AWAY


@pytest.mark.skipif(shutil.which("clamd") is None, reason="needs Debian's clamav-daemon")
async def test_a_real_clamd_is_understood(tmp_path):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "test.hdb").write_text(f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Eicar-Test\n")
    port = free_port()
    (tmp_path / "clamd.conf").write_text(
        f"DatabaseDirectory {tmp_path}/db\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\nUser root\n"
        "StreamMaxLength 1M\n"
    )
    daemon = await asyncio.create_subprocess_exec(
        "clamd", "-c", str(tmp_path / "clamd.conf"), stdout=asyncio.subprocess.DEVNULL
    )
    scanner = Scanner(f"127.0.0.1:{port}", 10)
    try:
        async with asyncio.timeout(60):
            while await scanner.scan(media.streamed(b"lamp")) is Scan.AWAY:
                await asyncio.sleep(0.2)
        assert await scanner.scan(media.streamed(EICAR)) is Scan.FOUND
        assert await scanner.scan(media.streamed(b"lamp" * 50_000)) is Scan.CLEAN
        assert await scanner.scan(media.streamed(bytes(8 * 1024 * 1024))) is Scan.AWAY
    finally:
        daemon.kill()
        await daemon.wait()


async def test_without_a_scanner_nothing_is_scanned():
    assert await Scanner("").scan(media.streamed(EICAR)) is Scan.OFF


async def test_a_file_with_a_virus_is_refused_and_one_not_scanned_is_kept_and_says_so(
    clamd, database, tmp_path
):
    async with running(settings(database, tmp_path, clamd=clamd.address)) as gateway:
        intake = gateway.media.intake
        with pytest.raises(NotAccepted) as refused:
            await intake.take(media.streamed(EICAR), Claim("draft"))
        assert refused.value.breach.refusal is Refusal.VIRUS
        assert (await intake.take(media.streamed(b"lamp"), Claim("draft"))).scan is Scan.CLEAN
        clamd.says = b""
        assert (await intake.take(media.streamed(b"road"), Claim("draft"))).scan is Scan.AWAY
