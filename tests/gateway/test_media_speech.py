"""What was spoken in recordings, by a service on loopback: written down beside the work, found again, never waited for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway import views
from gateway.app import listening
from gateway.media.intake import Claim
from gateway.media.speech import TRIES, Heard
from normalizer.errors import Misconfigured
from tests.kit import media
from tests.kit.gateway import Person, embedded, running, settings
from tests.kit.standin import until

WORDS = "楼下烧烤店半夜还在放音响"


class Service:
    """A speech service that answers as it is told, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: list[web.Response | str] = []
        self.asked: list[tuple[str, str, int]] = []
        self.hangs = asyncio.Event()
        self.spoiled = 10**9
        """Bytes from which on a recording makes it break."""

    async def hear(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self.asked.append((request.content_type, request.headers.get("Authorization", ""), len(content)))
        answer = self.answers.pop(0) if self.answers else web.json_response({"text": WORDS})
        if len(content) > self.spoiled:
            answer = "drop"
        if answer == "hang":
            await self.hangs.wait()
        if answer == "drop":
            assert request.transport is not None
            request.transport.abort()
        return answer if isinstance(answer, web.Response) else web.Response()


@pytest.fixture
async def service():
    made = Service()
    app = web.Application()
    app.router.add_post("/asr", made.hear)
    async with listening(app, "127.0.0.1", 0) as port:
        made.url = f"http://127.0.0.1:{port}/asr"
        yield made
        made.hangs.set()


@asynccontextmanager
async def opened(tmp_path, clock, service, **changes):
    database = embedded(tmp_path)
    speech = {"url": service.url, "secret": "s3cret", "seconds": 0.5} | changes
    async with running(settings(database, tmp_path, speech=speech), clock=clock) as gateway:
        yield gateway


async def recorded(gateway, owner="draft", seconds=2.0):
    content = media.voice(seconds=seconds)
    return await gateway.media.intake.take(media.streamed(content), Claim(owner, "录音.mp3"))


async def words(gateway, owner="draft"):
    (taken,) = await gateway.media.uploads.of(owner)
    return taken.words


async def heard(gateway, owner="draft"):
    async def there():
        await gateway.hearing.hear_some()
        return bool(await words(gateway, owner))

    await until(there)
    return await words(gateway, owner)


async def test_a_recording_is_written_down_once_and_found_by_its_words(tmp_path, clock, service):
    async with opened(tmp_path, clock, service) as gateway:
        number = await Person(gateway, clock).reports()
        await recorded(gateway, number)
        assert await heard(gateway, number) == WORDS
        assert (await gateway.hearing.hear_some()).count == 0
        ((mime, proof, size),) = service.asked
        assert (mime, proof, size > 1000) == ("audio/mpeg", "Bearer s3cret", True)
        given = settings(embedded(tmp_path), tmp_path)
        (found,) = await views.found(given, "半夜 音响", limit=9, full=False)
        assert (found["case_no"], found["recordings"]) == (number, [{"name": "录音.mp3", "words": WORDS}])


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (web.json_response({"text": "有\0人\n 喊"}), "有 人 喊"),
        (web.Response(text="只有文字"), "只有文字"),
        (web.json_response("只有文字"), "只有文字"),
        (web.json_response({"text": ""}), ""),
        (web.Response(status=415), ""),
    ],
    ids=["json", "text", "a json string", "silence", "refused"],
)
async def test_what_the_service_says(tmp_path, clock, service, answer, kept):
    service.answers.append(answer)
    async with opened(tmp_path, clock, service) as gateway:
        await recorded(gateway)
        assert [(await gateway.hearing.hear_some()).count for _ in range(2)] == [1, 0]
        assert (await words(gateway), len(service.asked)) == (kept, 1)


@pytest.mark.parametrize(
    "answer",
    [web.Response(status=503), web.Response(status=429), web.Response(status=302), "drop", "hang",
     web.json_response({"error": "x"}), web.Response(body=b"x" * 300_000)],
    ids=["busy", "too fast", "elsewhere", "cut", "no answer in time", "no words", "too long"],
)  # fmt: skip
async def test_a_service_that_is_away_is_asked_again(tmp_path, clock, service, answer):
    service.answers.append(answer)
    async with opened(tmp_path, clock, service) as gateway:
        await recorded(gateway)
        assert await gateway.hearing.hear_some() == Heard(0, away=True)
        assert await heard(gateway) == WORDS


async def test_one_that_never_succeeds_is_given_up_and_lets_the_others_pass(tmp_path, clock, service):
    async with opened(tmp_path, clock, service) as gateway:
        service.spoiled = 8_000
        await recorded(gateway)
        await recorded(gateway, "another", seconds=0.5)
        for _ in range(TRIES + 1):
            await gateway.hearing.hear_some()
        assert await words(gateway, "another") == WORDS
        assert await words(gateway) == ""


async def test_no_answer_to_a_citizen_waits_for_it(tmp_path, clock, service):
    service.answers += ["hang"] * 9
    async with opened(tmp_path, clock, service, seconds=60) as gateway:
        await recorded(gateway)
        hearing = asyncio.create_task(gateway.hearing.hear_some())
        await until(lambda: service.asked)
        async with asyncio.timeout(3):
            assert await Person(gateway, clock).says("你好")
        service.hangs.set()
        await hearing


async def test_without_a_service_recordings_are_kept_as_they_are(gateway):
    assert gateway.hearing is None


async def test_an_address_that_is_none_is_refused(tmp_path):
    with pytest.raises(Misconfigured):
        settings(f"sqlite:///{tmp_path}/x", tmp_path, speech={"url": "ftp://x"})
