"""What an agent sends beside words: brought by the page, named in the answer, seen by the citizen."""

from uuid import uuid4

import pytest
from aiohttp import FormData

from gateway.media.intake import Claim
from tests.kit import media
from tests.kit.gateway import embedded
from tests.kit.hall import opened
from tests.kit.standin import until


@pytest.fixture
async def hall(tmp_path):
    async with opened(embedded(tmp_path), tmp_path) as made:
        yield made


async def brings(agent, talk, content, name):
    form = FormData(quote_fields=False)
    form.add_field("file", content, filename=name)
    url = f"{agent.site}/desk/api/talks/{talk}/files"
    async with agent.session.post(url, data=form, headers={"X-CSRF": agent.csrf}) as answer:
        return answer.status, await answer.json()


async def answers(agent, row, text, *files):
    return await agent.does(row["id"], "reply", row["epoch"], text=text, files=files, echo=uuid4().hex)


async def test_a_photo_goes_with_the_words_and_comes_as_a_photo(hall):
    li = await hall.busy("li")
    row = await hall.taken(li)
    status, photo = await brings(li, row["id"], media.photo(), "路灯.jpg")
    assert (status, photo["name"], photo["mime"]) == (201, "路灯.jpg", "image/jpeg")
    told = await answers(li, row, "请看照片", photo["id"])
    assert (told.status, told.body["parts"][0]["text"]) == (201, "请看照片")
    hall.clock.wait(seconds=11)
    hall.phone.gateway.desk.owed()
    await until(lambda: hall.phone.person.lines[-1].mime == "image/jpeg")
    assert "请看照片" in hall.phone.heard
    lines = (await li.get(f"talks/{row['id']}"))["lines"]
    [words], [piece] = [line["parts"] for line in lines if line["who"] == "agent"]
    assert (words["text"], piece["kind"], bool(piece["preview"])) == ("请看照片", "image", True)


async def test_a_photo_without_words_is_an_answer_too_and_nothing_is_none(hall):
    li = await hall.busy("li")
    row = await hall.taken(li)
    _, photo = await brings(li, row["id"], media.photo(), "a.jpg")
    told = await answers(li, row, "", photo["id"])
    assert (told.status, told.body["parts"][0]["kind"]) == (201, "image")
    assert (await answers(li, row, "")).status == 422


@pytest.mark.parametrize("content", [media.photo(), media.pdf()], ids=["a photo", "a document"])
async def test_what_an_agent_sends_is_among_the_cases_files_until_he_takes_it_back(
    database, tmp_path, content
):
    async with opened(database, tmp_path) as hall:
        number, li = await hall.phone.reports(), await hall.busy("li")
        row, uploads = await hall.taken(li), hall.phone.gateway.media.uploads
        _, one = await brings(li, row["id"], content, "办理结果")
        told = await answers(li, row, "", one["id"])
        assert [file.key for file in await uploads.of(number)] == [one["id"]]
        line = told.body["id"]
        assert (await li.does(row["id"], f"lines/{line}/undo", row["epoch"])).status == 204
        assert await uploads.of(number) == ()


async def test_a_file_that_the_case_had_before_stays_its_own_when_the_answer_is_taken_back(
    database, tmp_path
):
    async with opened(database, tmp_path) as hall:
        number, li = await hall.phone.reports(), await hall.busy("li")
        uploads, intake = hall.phone.gateway.media.uploads, hall.phone.gateway.media.intake
        mine = await intake.take(media.streamed(media.photo()), Claim(number, "现场.jpg"))
        hall.clock.wait(seconds=1)
        row = await hall.taken(li)
        _, one = await brings(li, row["id"], media.photo(), "现场.jpg")
        assert one["id"] == mine.key
        line = (await answers(li, row, "", one["id"])).body["id"]
        assert (await li.does(row["id"], f"lines/{line}/undo", row["epoch"])).status == 204
        assert [file.key for file in await uploads.of(number)] == [mine.key]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"MZ" + bytes(200), "letter.exe", id="a program"),
        pytest.param(b"", "empty.jpg", id="nothing"),
    ],
)
async def test_a_file_that_cannot_be_taken_says_why(hall, content, name):
    li = await hall.busy("li")
    row = await hall.taken(li)
    status, problem = await brings(li, row["id"], content, name)
    assert status == 422
    assert problem["errors"][0]["pointer"] == "/file"


async def test_nobody_sends_what_another_brought(hall):
    li, wang = await hall.busy("li"), await hall.busy("wang")
    row = await hall.taken(li)
    _, photo = await brings(wang, row["id"], media.photo(), "a.jpg")
    assert (await answers(li, row, "您好", photo["id"])).status == 422


async def test_the_citizen_sees_that_somebody_writes(hall):
    li = await hall.busy("li")
    row = await hall.taken(li)
    await li.post(f"talks/{row['id']}/viewing", {"here": True, "typing": True})
    await until(lambda: hall.phone.platform.counts["typing"])
