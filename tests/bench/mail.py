"""How fast does a mailbox come in? Each figure beside floors of the same run (``script/bench mail``).

A whole gateway takes in the mails that wait at a post office in another process: fetched by IMAP, read, written down,
answered, filed away. The floors are ``mime.read`` alone over the same bytes, and fetching and filing away alone. A
mail is not lost or doubled: the rows are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import tempfile
import time
from email.message import EmailMessage
from email.policy import SMTP
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import Connection as Database
from sqlalchemy import distinct, func, select

from channels.email import mime
from channels.email.imap import Mailbox
from channels.email.settings import Settings
from channels.settings import read
from gateway import app as gateway
from gateway.doctor import sync_seconds
from gateway.sandbox.post.office import Post, PostSettings
from gateway.settings import load
from gateway.store.tables import CASES, INBOX
from tests.bench import apart

ROUNDS = 3
MAILS = 500
FILE_BYTES = 200_000
PATIENCE = 300.0
"""Seconds after which what has not come in is counted as missing."""
LOOK = 0.05
"""Seconds between two looks at the rows; also how far the rate's end may be off."""
HOTLINE = "12345@bench.example"
MATTER = "人民路与建设路交叉口东北角的路灯坏了三天，晚上过马路看不清，请尽快派人来修。"


def mails(count: int) -> list[bytes]:
    """Return mails of every sort in turn, each from another person; always the same ones."""
    sorts = (_plain, _html, _mislabelled, _with_file, _reply, _automatic)
    return [sorts[number % len(sorts)](number) for number in range(count)]


def _head(number: int, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = f"citizen{number}@people.example", HOTLINE
    mail["Subject"], mail["Date"] = subject, "Mon, 02 Nov 2026 09:30:00 +0800"
    mail["Message-ID"] = f"<{number}@people.example>"
    return mail


def _plain(number: int) -> bytes:
    mail = _head(number, "路灯不亮")
    mail.set_content(f"{number}号楼前，{MATTER}")
    return mail.as_bytes()


def _html(number: int) -> bytes:
    mail = _head(number, "井盖丢失")
    mail.set_content(f"<div style='color:red'><p>{number}号：</p><p>{MATTER}</p></div>" * 20, subtype="html")
    return mail.as_bytes()


def _mislabelled(number: int) -> bytes:
    head = _head(number, "噪音扰民")
    head["Content-Type"] = 'text/plain; charset="gb2312"'
    head["Content-Transfer-Encoding"] = "base64"
    # Beyond GB 2312: 喆 and 镕 are in GBK only, as names often are.
    words = base64.encodebytes(f"我叫王喆镕，{number}号，{MATTER}".encode("gbk"))
    return head.as_bytes().rstrip(b"\r\n") + b"\r\n\r\n" + words.replace(b"\n", b"\r\n")


def _with_file(number: int) -> bytes:
    mail = _head(number, "占道经营，附照片")
    mail.set_content(f"{number}号：{MATTER}")
    photo = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + random.Random(number).randbytes(FILE_BYTES)
    mail.add_attachment(photo, maintype="image", subtype="jpeg", filename="现场照片.jpg")
    return mail.as_bytes()


def _reply(number: int) -> bytes:
    mail = _head(number, "回复：您反映的问题")
    mail["In-Reply-To"] = mail["References"] = f"<old{number}@elsewhere.example>"
    quote = "".join(f"> {MATTER}\r\n" for _ in range(10))
    mail.set_content(f"{number}号：{MATTER}\r\n\r\n在 2026年11月1日，12345 <{HOTLINE}> 写道：\r\n{quote}")
    return mail.as_bytes()


def _automatic(number: int) -> bytes:
    mail = _head(number, "自动回复：休假中")
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("您好，我正在休假，回来后尽快回复。")
    return mail.as_bytes()


def post_office(pipe: Connection, count: int) -> None:
    """Keep a post office where the mails wait; tell its ports and close when the pipe does."""
    apart.quiet()
    asyncio.run(_post_office(pipe, count))


async def _post_office(pipe: Connection, count: int) -> None:
    async with Post(PostSettings(hotline=HOTLINE)) as post:
        for raw in mails(count):
            await post.bring(raw)
        pipe.send((post.imap_port, post.smtp_port, post.settings.password))
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(pipe.fileno(), ended.set)
        await ended.wait()


def account(imap: int, smtp: int, password: str) -> dict[str, Any]:
    """Return the settings of the hotline's mailbox."""
    return {
        "kind": "email", "address": HOTLINE,
        "imap_host": "127.0.0.1", "imap_port": imap, "imap_security": "none",
        "imap_user": HOTLINE, "imap_secret": password,
        "smtp_host": "127.0.0.1", "smtp_port": smtp, "smtp_security": "none",
        "smtp_user": HOTLINE, "smtp_secret": password,
    }  # fmt: skip


def whole(raw: dict[str, Any], folder: str, count: int) -> dict[str, Any]:
    """Return how a whole gateway fared with the mailbox."""
    apart.quiet()
    return uvloop.run(_whole(raw, folder, count))


async def _whole(raw: dict[str, Any], folder: str, count: int) -> dict[str, Any]:
    settings = load(None, {}, database=f"sqlite:///{folder}/bench.sqlite3", channels={"mail": raw})
    async with gateway.running(settings) as running:
        # Nothing has run yet of the channel's task: the loop had no turn since it was made.
        began = time.perf_counter()
        seen = 0
        while seen < count and time.perf_counter() - began < PATIENCE:
            await asyncio.sleep(LOOK)
            seen, _, _ = await running.books.store.read(_counts)
        seconds = time.perf_counter() - began
        rows, different, cases = await running.books.store.read(_counts)
        memory = apart.peak_mb()
    return {"rate": seen / seconds, "memory_mb": memory, "rows": rows, "distinct": different, "cases": cases}


def _counts(database: Database) -> tuple[int, int, int]:
    rows = database.execute(
        select(func.count(), func.count(distinct(INBOX.c.external_id))).select_from(INBOX)
    )
    inbox, different = rows.one()
    return inbox, different, database.execute(select(func.count()).select_from(CASES)).scalar_one()


def reading(count: int) -> float:
    """Return how many mails a second are read when nothing else is done."""
    bodies = mails(count)
    began = time.perf_counter()
    for raw in bodies:
        mime.read(raw)
    return count / (time.perf_counter() - began)


def fetching(raw: dict[str, Any], count: int) -> float:
    """Return how many mails a second are fetched and filed away when nothing else is done."""
    return count / uvloop.run(_fetching(raw))


async def _fetching(raw: dict[str, Any]) -> float:
    mailbox = await Mailbox.open(read(Settings, "mail", raw))
    began = time.perf_counter()
    for uid, size in (await mailbox.sizes(await mailbox.uids())).items():
        await mailbox.fetch([uid], size)
        await mailbox.file_away([uid], "Processed")
    taken = time.perf_counter() - began
    mailbox.close()
    return taken


def measure(count: int) -> dict[str, Any]:
    """Measure the floors and the whole once, one after the other."""
    parse = apart.alone(reading, count)
    with apart.beside(post_office, count) as pipe:
        fetch = apart.alone(fetching, account(*pipe.recv()), count)
    with (
        tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder,
        apart.beside(post_office, count) as pipe,
    ):
        found = apart.alone(whole, account(*pipe.recv()), folder, count)
    ratios = {"of_read": found["rate"] / parse, "of_fetch": found["rate"] / fetch}
    return ratios | {"read_rate": parse, "fetch_rate": fetch} | found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench mail", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--mails", type=int, default=MAILS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder:
        sync = sync_seconds(Path(folder))
    rounds = [measure(given.mails) for _ in range(given.rounds)]
    report = {"fsync_p50_ms": round(sync * 1000, 3), "mails": given.mails}
    report |= apart.middle(rounds, exact=("rows", "distinct", "cases"))
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        apart.show(report)


if __name__ == "__main__":
    main()
