"""What all HTTP providers of SMS share inward, shown on one of them."""

import asyncio
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, web

from channels.http import post
from channels.registry import ADAPTERS
from channels.sms import callbacks
from normalizer.errors import InvalidInput, Misconfigured
from tests.kit.doors import tools
from tests.kit.providers import NUMBER, SETTINGS, maker

UP = {"phone_number": NUMBER, "content": "井盖丢了", "sequence_id": "1"}
DEEP = "[" * 100_000

REFUSED = [
    ("another secret", {"secret": "a-path-nobody-guesseS"}, UP, 403, "bad_secret"),
    ("a secret that is no ASCII", {"secret": "密" * 20}, UP, 403, "bad_secret"),
    ("oversized", {}, "[" + " " * callbacks.MAX_BODY + "]", 413, "too_large"),
    ("too many", {}, [{}] * 1001, 413, "too_large"),
    ("broken JSON", {}, '[{"phone_number":', 400, "malformed"),
    ("too deep", {}, DEEP, 400, "malformed"),
    ("an array of something else", {}, '["x"]', 400, "malformed"),
    ("nothing", {}, "", 400, "malformed"),
    ("no field we know", {}, {"a": 1}, 400, "missing_field"),
    ("a list for a number", {}, UP | {"phone_number": [1]}, 400, "missing_field"),
    ("no number", {}, UP | {"phone_number": "<script>"}, 400, "bad_number"),
]


@pytest.mark.parametrize(
    ("how", "body", "status", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_what_is_forged_or_broken_is_refused_counted_and_not_stored(account, how, body, status, reason):
    sms = await account()
    answer = await sms.call("up", body, **how)
    assert (answer.status, sms.counts.refusals, sms.door.messages) == (status, [reason], [])


CALLERS = [
    ("any", {}, {}, 200),
    ("our own", {"callback_allow": ["127.0.0.0/8"]}, {}, 200),
    ("a stranger", {"callback_allow": ["203.0.113.0/24"]}, {}, 403),
    ("a stranger who claims", {"callback_allow": ["203.0.113.7"]}, {"X-Forwarded-For": "203.0.113.7"}, 403),
    (
        "behind our proxy",
        {"callback_allow": ["203.0.113.7"], "trusted_proxies": ["127.0.0.1"]},
        {"X-Forwarded-For": "203.0.113.7"},
        200,
    ),
    (
        "a claim before our proxy's own word",
        {"callback_allow": ["203.0.113.7"], "trusted_proxies": ["127.0.0.1"]},
        {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"},
        403,
    ),
    (
        "two proxies of ours",
        {"callback_allow": ["203.0.113.7"], "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]},
        {"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.1.2.3"},
        200,
    ),
    (
        "nonsense from the proxy",
        {"callback_allow": ["203.0.113.7"], "trusted_proxies": ["127.0.0.1"]},
        {"X-Forwarded-For": "unknown"},
        403,
    ),
]


@pytest.mark.parametrize(
    ("changes", "headers", "status"), [r[1:] for r in CALLERS], ids=[r[0] for r in CALLERS]
)
async def test_only_the_providers_addresses_may_call(account, changes, headers, status):
    sms = await account(**changes)
    answer = await sms.call("up", [UP], headers=headers)
    assert (answer.status, len(sms.door.messages)) == (status, status == 200)
    assert sms.counts.refusals == ([] if status == 200 else ["foreign_address"])


@pytest.mark.parametrize("path", ["up", "report"])
async def test_what_cannot_be_written_down_is_not_thanked_for(account, path):
    sms = await account()
    sms.door.busy = sms.receipts.busy = True
    report = {"success": True, "biz_id": "1", "phone_number": NUMBER}
    answer = await sms.call(path, [UP | report])
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "code" not in await answer.text()


async def test_a_form_is_read_whatever_it_is_called(account):
    sms = await account()
    form = f"phone_number={NUMBER}&content={quote('井盖丢了 & 危险')}&sequence_id=7"
    assert (await sms.call("up", form, headers={"Content-Type": "application/json"})).status == 200
    assert sms.door.messages[0].text == "井盖丢了 & 危险"


TEXTS = [
    ("plain", "井盖丢了", "井盖丢了"),
    ("GB 18030 in a form", "井盖".encode("gb18030").decode("utf-8", "surrogateescape"), "井盖"),
    ("half an emoji in JSON", "好\ud83d", "好?"),
    ("a NUL", "T\0D\0", "TD"),
]


@pytest.mark.parametrize(("came", "text"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_words_are_readable_however_they_come(came, text):
    assert callbacks.readable(came) == text


NUMBERS = [
    ("13812345678", "13812345678"),
    ("+8613812345678", "13812345678"),
    ("008613812345678", "13812345678"),
    ("8613812345678", "13812345678"),
    ("138 1234-5678", "13812345678"),
    ("+85261234567", "85261234567"),
    ("106912345", "106912345"),
    ("", None),
    ("12", None),
    ("١٢٣٤٥٦", None),
    ("1" * 22, None),
]


@pytest.mark.parametrize(("number", "digits"), NUMBERS)
def test_a_number_is_its_digits_without_the_country(number, digits):
    if digits is None:
        with pytest.raises(InvalidInput):
            callbacks.proper(number)
    else:
        assert callbacks.proper(number) == digits


SENDERS = [
    ("10690001234", True),
    ("+8695588", True),
    ("4008123123", True),
    (NUMBER, False),
    ("+959123456789", False),
]


@pytest.mark.parametrize(("number", "machine"), SENDERS)
async def test_a_firms_number_is_a_machine(account, number, machine):
    sms = await account()
    await sms.call("up", [UP | {"phone_number": number}])
    assert [message.automatic for message in sms.door.messages] == [machine]


WRONG = [
    ({"callback_secret": "short"}, "callback_secret"),
    ({"callback_secret": "with/a/slash/in/it"}, "callback_secret"),
    ({"callback_allow": ["nobody"]}, "callback_allow.0"),
    ({"api_base": "dysmsapi"}, "api_base"),
    ({"rate": 0}, "rate"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
async def test_a_wrong_setting_is_named_and_no_secret_told(changes, field):
    async with ClientSession() as http:
        with pytest.raises(Misconfigured) as wrong:
            ADAPTERS["aliyun"]("sms", SETTINGS["aliyun"] | changes, tools(http))
    assert wrong.value.setting.startswith(f"channels.sms.{field}")
    assert "testSecret" not in str(wrong.value)


async def test_an_answer_in_pieces_is_read_to_its_end(aiohttp_server):
    async def pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"a":', b" " * 100_000, b"1}"):
            await response.write(piece)
            await asyncio.sleep(0)
        return response

    app = web.Application()
    app.router.add_post("/", pieces)
    server = await aiohttp_server(app)
    async with ClientSession() as http:
        assert await post(http, server.make_url("/"), b"", headers={}, seconds=5) == {"a": 1}


@pytest.fixture
async def account(aiohttp_server, aiohttp_client):
    async with ClientSession() as http:
        yield maker(SETTINGS["aliyun"], {"Code": "OK"}, aiohttp_server, aiohttp_client, http)
