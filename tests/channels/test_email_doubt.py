"""A forged sender: what our own mail server found of him, and what the gateway then lets his letter do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from channels.contract import Capabilities
from channels.email import mime, proof
from channels.email.letters import Letters
from channels.email.settings import Settings
from channels.settings import read
from normalizer.message import SourceChannel
from tests.kit.doors import tools
from tests.kit.gateway import embedded, running, settings

OURS = "mx.city.example"


@pytest.mark.parametrize(
    ("found", "doubted"),
    [
        pytest.param("", False, id="nothing found"),
        pytest.param("dmarc=fail header.from=qq.com", True, id="the domain says so"),
        pytest.param("dmarc=fail; spf=pass; dkim=pass", True, id="another domain's proofs"),
        pytest.param("spf=fail; dkim=fail", True, id="both failed and nothing of the domain"),
        pytest.param("spf=fail; dkim=fail; dmarc=none", True, id="both failed and the domain has no rule"),
        pytest.param("spf=fail; dkim=pass", False, id="forwarded"),
        pytest.param("spf=fail; dkim=none", False, id="forwarded, never signed"),
        pytest.param("spf=softfail; dkim=fail", False, id="unsure"),
        pytest.param("spf=fail; dkim=fail; dkim=pass", False, id="one of two signatures holds"),
        pytest.param("spf=fail; dkim=fail; dmarc=pass", False, id="the domain stands for it"),
        pytest.param("dmarc=temperror; spf=pass", False, id="not known just now"),
    ],
)
def test_whose_address_is_doubted(found, doubted):
    letter = mime.read(mail("催办", found))
    assert ("doubted" in proof.note(letter, OURS)) is doubted
    assert "doubted" not in proof.note(letter, "another.example")


async def test_a_forged_letter_moves_no_case_and_a_genuine_one_does(tmp_path):
    async with city(tmp_path) as write:
        opened = await write(mail("泰山区青年路的路灯坏了三天没人修", "dmarc=pass"))
        number = opened.partition("单号：")[2][:17]
        forged = await write(mail("催办", "dmarc=fail"))
        assert "未通过发件地址核验" in forged
        assert number[-7:] not in forged
        code = opened.partition("查询码：")[2][:6]
        assert "已转告" in await write(mail(f"催办 {number} {code}", "dmarc=fail", "2"))
        assert "24小时内已催办过" in await write(mail("催办", "dmarc=pass", "3"))


def mail(words, found, number="1"):
    proofs = f"Authentication-Results: {OURS}; {found}\r\n" if found else ""
    head = f"From: zhang@qq.com\r\nMessage-ID: <{len(words)}.{number}@qq.com>\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{proofs}{head}\r\n{words}\r\n".encode()


@asynccontextmanager
async def city(folder):
    """A gateway, and a hand that puts a letter in at its door and waits for the answer."""
    channels = {"mail": {"kind": "memory"}}
    made = settings(embedded(folder), folder, channels=channels)
    async with ClientSession() as http, running(made) as gateway:
        channel = gateway.channels["mail"]
        channel.capabilities = Capabilities(SourceChannel.EMAIL, 65536)
        letters = Letters("mail", read(Settings, "mail", ACCOUNT), tools(http))

        async def write(raw):
            known = len(channel.sent)
            await gateway.inbox.accept(await letters.message(mime.read(raw), raw))
            async with asyncio.timeout(10):
                while len(channel.sent) == known:
                    await asyncio.sleep(0.02)
            return channel.sent[-1].text

        yield write


ACCOUNT = {
    "kind": "email",
    "address": "12345@city.example",
    "imap_host": "h",
    "imap_user": "u",
    "imap_secret": "s",
    "smtp_host": "h",
    "authserv_id": OURS,
}
