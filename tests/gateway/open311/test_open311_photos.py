"""Photos of service requests: sent along, fetched under the guard, or kept as a link."""

from aiohttp import FormData, web

from channels.fetch import Fetcher, is_public_or_loopback
from gateway.app import listening
from gateway.store import cases
from gateway.web.open311.photos import Photos, Sent
from tests.kit.media import photo
from tests.kit.open311 import report


async def test_a_photo_that_is_sent_along_is_the_cases(client):
    first = await client.ask("POST", "requests.json", data=form(photo()))
    assert first.status == 200
    number = first.data[0]["service_request_id"]
    (shown,) = await attachments(client, number)
    assert (shown.kind, shown.name, shown.mime) == ("image", "hole.jpg", "image/jpeg")
    (kept,) = await client.gateway.media.uploads.of(number)
    assert kept.key == shown.blob
    assert (await client.get(f"requests/{number}.json")).data[0]["media_url"] is None


async def test_a_retry_with_the_same_photo_is_one_case_and_with_another_is_another(client):
    numbers = [
        (await client.ask("POST", "requests.json", data=form(picture))).data[0]["service_request_id"]
        for picture in (photo(), photo(), photo(size=(100, 80)))
    ]
    assert numbers[0] == numbers[1] != numbers[2]


async def test_what_is_no_photo_opens_nothing_and_is_told_why(client):
    reply = await client.ask("POST", "requests.xml", data=form(b"MZ" + bytes(2000), "hole.exe"))
    assert (reply.status, reply.faults) == (400, [400])
    assert (await client.get("requests.json")).data == []


async def test_an_address_inside_our_network_is_never_asked_and_stays_a_link(client):
    asked = []

    async def answer(request):
        asked.append(request.path)
        return web.Response(body=photo())

    async with listening(site(answer), "127.0.0.1", 0) as port:
        number = await client.reports(media_url=f"http://127.0.0.1:{port}/hole.jpg")
        (link,) = await attachments(client, number)
        assert (link.url, link.blob, asked) == (f"http://127.0.0.1:{port}/hole.jpg", "", [])


async def test_a_photo_is_fetched_and_what_is_none_stays_a_link(client):
    media = client.gateway.media
    photos = Photos(intake=media.intake, uploads=media.uploads, fetcher=Fetcher(is_public_or_loopback))

    async def answer(request):
        return web.Response(body=photo() if request.path == "/hole.jpg" else b"<html></html>")

    async with listening(site(answer), "127.0.0.1", 0) as port:
        sent, number = Sent(), await client.reports()
        fetched = await photos.fetched(sent, f"http://127.0.0.1:{port}/hole.jpg")
        await photos.give(sent, number, fetched)
        assert [(each.mime, each.url) for each in fetched] == [("image/jpeg", "")]
        assert [each.key for each in await media.uploads.of(number)] == [fetched[0].blob]
        page = await photos.fetched(Sent(), f"http://127.0.0.1:{port}/page.jpg")
        assert [(each.blob, each.url) for each in page] == [("", f"http://127.0.0.1:{port}/page.jpg")]


def form(picture, name="hole.jpg"):
    data = FormData()
    for field, value in report().items():
        data.add_field(field, value)
    data.add_field("media", picture, filename=name, content_type="image/jpeg")
    return data


def site(handler):
    app = web.Application()
    app.router.add_get("/{name}", handler)
    return app


async def attachments(client, number):
    row = await client.gateway.books.store.read(lambda connection: cases.get(connection, number))
    return client.gateway.books.cases.read(row).matter.attachments
