import base64

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from channels.wechat import codec
from channels.wechat.replay import KEPT, Seen
from channels.wechat.settings import decode_key
from normalizer.errors import InvalidInput
from tests.kit.wechat import AES_KEY, APP_ID, STAMP, TOKEN

CRYPTER = codec.Crypter(APP_ID, [decode_key(AES_KEY) or b""])


@given(st.text(max_size=200))
def test_the_providers_library_opens_what_we_seal(text):
    text = codec.cdata(text).replace("]]]]><![CDATA[>", "")
    if not text.strip():
        return
    sealed = codec.sealed_reply(CRYPTER, TOKEN, codec.text_reply("o", "g", 1, text), int(STAMP))
    outer = xmltodict.parse(sealed)["xml"]
    inner = WeChatCrypto(TOKEN, AES_KEY, APP_ID).decrypt_message(
        sealed, outer["MsgSignature"], STAMP, outer["Nonce"]
    )
    assert xmltodict.parse(inner, strip_whitespace=False)["xml"]["Content"] == text.replace(
        "\r\n", "\n"
    ).replace("\r", "\n")


@given(st.binary(max_size=200))
def test_whatever_is_sealed_is_opened_again(message):
    assert CRYPTER.decrypt(CRYPTER.encrypt(message)) == message


@given(st.binary(max_size=300))
def test_rubbish_is_refused_by_the_one_error(data):
    for work in (lambda: codec.parse_xml(data), lambda: CRYPTER.decrypt(base64.b64encode(data).decode())):
        with pytest.raises(InvalidInput):
            work()


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_never_gives_another_error(at, change):
    sealed = bytearray(base64.b64decode(CRYPTER.encrypt(b"<xml><a>1</a></xml>")))
    sealed[at % len(sealed)] ^= change
    try:
        CRYPTER.decrypt(base64.b64encode(bytes(sealed)).decode())
    except InvalidInput:
        return


XML = [
    "<xml><a>1</a><b><![CDATA[2]]></b></xml>",
    "<xml>\n<a><![CDATA[x]y]]></a>\n</xml>",
    "<xml><a>&lt;1&gt;</a></xml>",
    "<xml><a><![CDATA[<b>]]></a></xml>",
    "<xml><a></a></xml>",
    "<?xml version='1.0'?><xml><a>1</a></xml>",
    "<xml><a><b>1</b></a></xml>",
]


@pytest.mark.parametrize("text", XML)
def test_the_short_way_reads_what_the_long_way_reads(text):
    long = codec._tree(text.encode())
    short = codec._flat(text.encode())
    assert short is None or short == long
    assert codec.parse_xml(text.encode()) == long


def test_the_signature_is_compared_whole():
    assert codec.signed(codec.signature("a", "b"), "a", "b")
    assert not codec.signed(codec.signature("a", "b")[:-1], "a", "b")
    assert not codec.signed("é", "a", "b")


def test_marks_are_forgotten_when_they_are_stale_and_memory_is_bounded():
    seen = Seen(300)
    seen.add("a", 1000.0)
    assert seen.has("a")
    for clock in (5000.0, 9000.0):
        seen.add("b", clock)
    assert not seen.has("a")
    for n in range(KEPT * 2 + 10):
        seen.add(str(n), 10_000.0)
    assert len(seen._now) + len(seen._before) <= 2 * KEPT
