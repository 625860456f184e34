"""Pages of ours in WeChat's browser: signed for our own site, by one ticket for all."""

import asyncio

import pytest

from channels.wechat.pages import signature
from tests.kit.standin import phone

SITE = "https://12345.example.cn"


def test_the_signature_is_the_one_of_the_platforms_own_example():
    # The example of the platform's page on JS-SDK (appendix 1).
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    made = signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, "http://mp.weixin.qq.com?params=value#top")
    assert made == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


async def test_pages_of_our_site_are_signed_by_one_ticket(database, tmp_path, clock):
    async with phone(database, tmp_path, clock, public_url=SITE) as citizen:

        async def ask(url, account="wx"):
            query = {"account": account, "url": url}
            async with citizen.driver.http.get(f"{citizen.address}/api/v1/wechat/js", params=query) as answer:
                return answer.status, await answer.json()

        answers = await asyncio.gather(*(ask(f"{SITE}/report/where?n={n}") for n in range(5)))
        assert {status for status, _ in answers} == {200}
        signed = answers[0][1]
        made = signature(
            citizen.platform.ticket, signed["nonce"], signed["timestamp"], f"{SITE}/report/where?n=0"
        )
        assert signed["signature"] == made
        assert citizen.platform.counts["ticket"] == 1
        assert (await ask("https://elsewhere.example/report"))[0] == 422
        assert (await ask(f"{SITE}/", "none"))[0] == 404


@pytest.mark.parametrize("site", [""])
async def test_without_an_address_of_our_own_nothing_is_signed(database, tmp_path, clock, site):
    async with phone(database, tmp_path, clock, public_url=site) as citizen:
        query = {"account": "wx", "url": "https://12345.example.cn/"}
        async with citizen.driver.http.get(f"{citizen.address}/api/v1/wechat/js", params=query) as answer:
            assert answer.status == 422
