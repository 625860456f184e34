"""What an agent sends beside words: brought by the page, named in the answer, seen by the citizen."""

from uuid import uuid4

import pytest
from aiohttp import FormData

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
