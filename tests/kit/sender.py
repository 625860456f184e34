"""A process that sends by one account, as several of a gateway do: ``python -m tests.kit.sender REDIS API FIRST COUNT``.

It prints the number of each message once it was taken.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiohttp import ClientSession, TCPConnector

from channels.contract import SendError
from channels.wechat.channel import build
from gateway.bus import RedisBus
from normalizer.message import Address, OutboundMessage
from tests.kit.wechat import raw_settings, tools

PLACES = 4


async def main(redis: str, api: str, first: int, count: int) -> None:
    bus = await RedisBus.open(redis)
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        channel = build("wx", raw_settings(api_base=api), tools(http, keys=bus))
        numbers = iter(range(first, first + count))
        await asyncio.gather(*(_send(channel, numbers) for _ in range(PLACES)))
    await bus.close()


async def _send(channel: Any, numbers: Any) -> None:
    for number in numbers:
        message = OutboundMessage(f"{number:032x}", Address("wx", "oUser"), str(number))
        while True:
            try:
                await channel.send(message)
                break
            except SendError as error:
                # As the outbox does: only what was surely not taken is sent again.
                if not error.retryable:
                    raise
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
