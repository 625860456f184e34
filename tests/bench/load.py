"""Load for the benchmarks: distinct signed and encrypted WeChat messages, sent by wrk from a prepared file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Iterator

APP_ID, TOKEN = "wx0123456789abcdef", "benchtoken"
AES_KEY = base64.b64encode(hashlib.sha256(b"bench").digest()).decode().rstrip("=")
LUA = Path(__file__).with_name("load.lua")

DIALOGUE = (
    "您好",
    "2",
    "路口的井盖丢了，晚上骑车经过很危险，已经有老人差点摔倒，麻烦你们派人来看一看，处理一下，谢谢你们",
    "岱岳区粥店街道人民路88号阳光花园小区东门",
    "3",
    "希望尽快补上井盖，补好以前先放个警示牌",
    "张三 13812345678",
    "2",
    "2",
    "1",
    "3",
    "0",
)
"""A citizen's course: greeting, a guided order of ten slots, progress, a human. One case in twelve messages."""

CITIZENS = 1_000
"""So many talk at once, each to the end, before others begin: more than connections, so that nobody overtakes himself."""


@dataclass(frozen=True, slots=True)
class Result:
    """What wrk saw: answered requests per second, latencies in milliseconds, and what went wrong."""

    rate: float
    p50: float
    p99: float
    requests: int
    errors: int


def messages(count: int, first_citizen: int) -> Iterator[tuple[str, str]]:
    """Yield (query, body) of ``count`` distinct messages: every citizen's first, then every one's second, …"""
    key = base64.b64decode(AES_KEY + "=")
    for n in range(count):
        round_, place = divmod(n, CITIZENS * len(DIALOGUE))
        step, citizen = divmod(place, CITIZENS)
        openid = f"o{first_citizen + round_ * CITIZENS + citizen:027d}"
        yield _signed(key, openid, DIALOGUE[step], first_citizen * 1_000_000 + n)


def prepare(path: Path, count: int, first_citizen: int) -> None:
    """Write the load to a file, a message per line."""
    with path.open("w") as file:
        file.writelines(f"{query}\t{body}\n" for query, body in messages(count, first_citizen))


def run(url: str, load: Path, *, connections: int, seconds: int) -> Result:
    """Send the prepared load for at most ``seconds``."""
    wrk = shutil.which("wrk")
    if wrk is None:
        message = "wrk is missing: install Debian's package of that name"
        raise SystemExit(message)
    command = [wrk, "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(LUA), url]
    done = subprocess.run(
        command, env=os.environ | {"LOAD": str(load)}, capture_output=True, text=True, check=True
    )
    figures = json.loads(done.stdout.rsplit("FIGURES ", 1)[1])
    return Result(**figures)


def _signed(key: bytes, openid: str, text: str, msg_id: int) -> tuple[str, str]:
    xml = (
        f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{msg_id}</MsgId></xml>"
    ).encode()
    plain = os.urandom(16) + len(xml).to_bytes(4) + xml + APP_ID.encode()
    pad = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
    timestamp, nonce = str(int(time.time())), str(msg_id)
    signature = hashlib.sha1("".join(sorted((TOKEN, timestamp, nonce, sealed))).encode()).hexdigest()
    plain_signature = hashlib.sha1("".join(sorted((TOKEN, timestamp, nonce))).encode()).hexdigest()
    query = (
        f"signature={plain_signature}&timestamp={timestamp}&nonce={nonce}&openid={openid}"
        f"&encrypt_type=aes&msg_signature={signature}"
    )
    body = f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    return query, body
