import asyncio
from importlib import import_module

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Capabilities, SendResult
from channels.registry import ADAPTERS
from channels.settings import read
from channels.splitting import split
from channels.wechat.settings import Settings
from normalizer.errors import Misconfigured
from normalizer.message import Address, OutboundMessage
from tests.kit.kf import kf_settings
from tests.kit.providers import SETTINGS as PROVIDERS
from tests.kit.wechat import raw_settings, tools

_CARRIER = {"host": "127.0.0.1", "port": 1, "secret": "s", "src_id": "10612345"}
SETTINGS = {
    "cmpp": {"kind": "cmpp", "sp_id": "901234", **_CARRIER},
    "email": {
        "kind": "email",
        "address": "12345@city.example",
        "imap_host": "127.0.0.1",
        "imap_port": 1,
        "imap_user": "u",
        "imap_secret": "s",
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
    },
    "memory": {"kind": "memory"},
    "miniprogram": raw_settings(kind="miniprogram"),
    "sgip": {
        "kind": "sgip",
        "node_id": 3037012345,
        "login": "l",
        "password": "p",
        "corp_id": "12345",
        "listen_port": 0,
        **{name: value for name, value in _CARRIER.items() if name != "secret"},
    },
    "smpp": {
        "kind": "smpp",
        "system_id": "s",
        "password": "p",
        **{name: value for name, value in _CARRIER.items() if name != "secret"},
    },
    "smgp": {"kind": "smgp", "client_id": "tel00001", **_CARRIER},
    "web": {"kind": "web"},
    "wechat": raw_settings(),
    "wechat_kf": kf_settings(1),
    **PROVIDERS,
}


def settings_of(kind):
    """Return settings that an adapter takes: those above, else the SETTINGS of its own test file."""
    return SETTINGS[kind] if kind in SETTINGS else import_module(f"tests.channels.test_sms_{kind}").SETTINGS


@pytest.mark.parametrize("kind", ADAPTERS)
async def test_every_adapter_keeps_the_contract(kind):
    async with ClientSession() as http:
        channel = ADAPTERS[kind]("acc", settings_of(kind), tools(http))
        assert channel.account == "acc"
        assert isinstance(channel.capabilities, Capabilities)
        assert all(route.method in {"GET", "POST"} for route in channel.routes())
        running = asyncio.create_task(channel.run())
        await asyncio.sleep(0)
        running.cancel()
        assert not isinstance((await asyncio.gather(running, return_exceptions=True))[0], Exception)


async def test_the_memory_channel_keeps_what_it_sends():
    async with ClientSession() as http:
        channel = ADAPTERS["memory"]("acc", {}, tools(http))
        message = OutboundMessage("1", Address("acc", "u"), "text")
        assert await channel.send(message) == SendResult(("1",))
        assert channel.sent == [message]


WRONG = [
    ({"token": None}, "token"),
    ({"aes_key": "short"}, "aes_key"),
    ({"mode": "loose"}, "mode"),
    ({"api_base": "weixin"}, "api_base"),
    ({"colour": "red"}, "colour"),
    ({"passive_deadline": 9}, "passive_deadline"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_wrong_setting_is_named_with_its_cure(changes, field):
    with pytest.raises(Misconfigured) as wrong:
        read(Settings, "wx", raw_settings(**changes))
    assert wrong.value.setting == f"channels.wx.{field}"
    assert wrong.value.cure
    assert "secret" not in str(wrong.value)


def test_safe_mode_needs_a_key():
    settings = {name: value for name, value in raw_settings().items() if name != "aes_key"}
    with pytest.raises(Misconfigured, match="aes_key"):
        read(Settings, "wx", settings)


@given(
    st.text(alphabet=st.sampled_from("井盖丢了。！，\n a1234👨\u200d👩é\u0301"), max_size=400),
    st.integers(30, 200),
)
def test_parts_fit_and_lose_nothing_but_blanks(text, limit):
    parts = split(text, limit)
    assert all(len(part.encode()) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_long_chinese_text_is_cut_at_sentence_ends():
    parts = split("人民路井盖丢了很危险。" * 100, 2048)
    assert len(parts) == 2
    assert all(part.endswith("。") for part in parts)


def test_a_number_is_not_cut_in_two():
    parts = split("字" * 20 + "37092611240001233", 70)
    assert any("37092611240001233" in part for part in parts)
