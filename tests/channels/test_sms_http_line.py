"""The whole line of one provider: callback, inbox, bot, outbox, signed send, receipt."""

import asyncio
import json
from urllib.parse import parse_qs

from sqlalchemy import select

from outbox.tables import OUTGOING, OutState
from tests.kit.gateway import embedded, running, settings
from tests.kit.providers import NUMBER, SECRET, SETTINGS, Peer


async def test_a_message_is_answered_once_and_its_answer_delivered(tmp_path, aiohttp_server, aiohttp_client):
    peer = Peer({"Code": "OK", "BizId": "b1"})
    address = str((await aiohttp_server(peer.app())).make_url("")).rstrip("/")
    channels = {"sms": SETTINGS["aliyun"] | {"api_base": address}}
    up = {"phone_number": NUMBER, "content": "人民路12号门口井盖丢了", "sequence_id": 77}
    report = {"phone_number": NUMBER, "success": True, "biz_id": "b1", "err_code": "DELIVERED"}
    async with running(settings(embedded(tmp_path, "j"), tmp_path, channels=channels)) as gateway:
        client = await aiohttp_client(gateway.app)
        for _ in range(2):
            assert (await client.post(f"/channels/sms/{SECRET}/up", json=[up])).status == 200
        await until(gateway, OutState.SENT)
        assert (await client.post(f"/channels/sms/{SECRET}/report", json=[report])).status == 200
        await until(gateway, OutState.DELIVERED)
    (asked,) = peer.asked
    sent = parse_qs(asked.query)
    assert sent["PhoneNumbers"] == [NUMBER]
    assert "怎么称呼您" in json.loads(sent["TemplateParam"][0])["text"]


async def until(gateway, state: OutState) -> None:
    """Wait until everything owed is in a state."""
    async with asyncio.timeout(15):
        while await states(gateway) != [state]:
            await asyncio.sleep(0.02)


async def states(gateway) -> list[OutState]:
    return await gateway.books.store.read(
        lambda connection: list(connection.execute(select(OUTGOING.c.state)).scalars())
    )
