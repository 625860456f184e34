"""What stands in the way of good service, and what to do about each finding (``jiesu doctor``)."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, ClientTimeout
from sqlalchemy import text

from channels.contract import Finding, Tools, troubles
from gateway import app as gateway
from gateway import bus as buses
from gateway import profile as profiles
from gateway.calendar import Calendar
from gateway.knowledge import shelf
from gateway.knowledge.entry import Status
from gateway.metrics import Metrics
from gateway.runtime import instant, millis, now
from gateway.store import forgetting
from gateway.store.store import sqlite_path
from normalizer.errors import JiesuError
from outbox import calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from channels.contract import Channel
    from gateway.settings import Settings

SLOW_SYNC = 0.005
LOW_SPACE = 2 * 1024**3
SKEW = 2.0
MANY = 10_000
CALLED_WITHIN_MS = 24 * 3600 * 1000
FORGOTTEN_WITHIN_MS = 3 * 24 * 3600 * 1000
"""A pass through what may be over begins every day."""
NOTICE_MONTH = 12
"""The State Council's notice of next year's holidays comes in November."""


async def examine(settings: Settings) -> Sequence[Finding]:
    """Examine everything; a check that cannot be made is itself a finding."""
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[Sequence[Finding]]]], ...] = (
        ("数据库", _database),
        ("Redis", _redis),
        ("磁盘", _disk),
        ("工作日历", _calendar),
        ("知识库", _knowledge),
        ("渠道", _channels),
        ("电话", _calls),
        ("到期删除", _forgetting),
        ("单点登录", _single_sign_on),
    )
    findings = [Finding(ok=True, what="设置：可以读取，没有错误")]
    for name, check in checks:
        try:
            findings += await check(settings)
        except JiesuError as error:
            findings.append(
                Finding(ok=False, what=f"{name}：{error}", cure="按上面的说明改好后，再运行一次 jiesu doctor")
            )
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding like any other
            findings.append(
                Finding(ok=False, what=f"{name}：{type(error).__name__} {error}", cure="检查该项的设置与服务")
            )
    return findings


async def _database(settings: Settings) -> Sequence[Finding]:
    async with gateway.open_books(settings) as books:
        store = books.store
        before = time.time()
        clock = await store.read(_clock)
        after = time.time()
        skew = 0.0 if clock is None else max(before - clock, clock - after, 0.0)
    findings = [Finding(ok=True, what=f"数据库：{store.dialect} 可用，表是最新的，密钥相符")]
    if skew > SKEW:
        cure = "两台机器的时钟不一致；请开启 NTP 对时"
        findings.append(Finding(ok=False, what=f"时钟：与数据库相差 {skew:.0f} 秒", cure=cure))
    elif clock is not None:
        findings.append(Finding(ok=True, what="时钟：与数据库一致"))
    return findings


def _clock(connection: Connection) -> float | None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("SELECT 1"))
        return None
    return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


async def _redis(settings: Settings) -> Sequence[Finding]:
    if settings.redis is None:
        return [Finding(ok=True, what="Redis：没有设置；单个进程不需要")]
    bus = await buses.open_bus(settings.redis)
    try:
        well = await bus.ping()
    finally:
        await bus.close()
    cure = "" if well else "启动 Redis 或改正 redis 的地址；没有它也能工作，只是唤醒会慢一些"
    return [Finding(ok=well, what="Redis：可用" if well else "Redis：连不上", cure=cure)]


async def _disk(settings: Settings) -> Sequence[Finding]:
    path = sqlite_path(settings.database)
    folder = (path.parent if path else settings.key_path.parent).resolve()
    free = shutil.disk_usage(folder).free
    space = f"磁盘：剩余 {free / 1024**3:.1f} GB"
    sync = await asyncio.to_thread(sync_seconds, folder)
    speed = f"磁盘：一次落盘 {sync * 1000:.2f} 毫秒"
    return [
        Finding(ok=free > LOW_SPACE, what=space, cure="" if free > LOW_SPACE else "请清理或扩大磁盘"),
        Finding(
            ok=sync < SLOW_SYNC,
            what=speed,
            cure="" if sync < SLOW_SYNC else "落盘慢会拖慢每一次确认；换用更快的磁盘",
        ),
    ]


def sync_seconds(folder: Path, times: int = 50) -> float:
    """Return the median seconds that appending 1 KB and ``fdatasync`` take in a folder."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            started = time.perf_counter()
            os.write(file.fileno(), bytes(1024))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


async def _knowledge(settings: Settings) -> Sequence[Finding]:
    async with gateway.open_books(settings) as books:
        entries = await shelf.entries(books.store)
    published = sum(entry.status is Status.PUBLISHED for entry in entries)
    findings = [Finding(ok=True, what=f"知识库：已发布 {published} 条")]
    return findings + [_ending(each) for each in shelf.ending(entries, now())]


def _ending(each: shelf.Ending) -> Finding:
    """Name an entry that ends within 30, 7 or 1 days, or should be reviewed (domain.md 1.9)."""
    entry, owner = each.entry, each.entry.owner or each.entry.source_unit or "未填写"
    named = f"知识库：{entry.id}“{entry.title}”（责任人：{owner}）"
    if each.review:
        return Finding(
            ok=False, what=f"{named}应于 {entry.review_due} 前复核", cure="请复核，改好日期后重新导入"
        )
    if each.days < 0:
        return Finding(
            ok=False,
            what=f"{named}已于 {entry.valid_until} 到期，不再答复市民",
            cure="请更新或下线后重新导入",
        )
    within = next(days for days in shelf.WARNED if each.days <= days)
    return Finding(
        ok=False, what=f"{named}{within} 天内到期（{entry.valid_until}）", cure="请在到期前更新后重新导入"
    )


async def _calendar(settings: Settings) -> Sequence[Finding]:
    calendar = Calendar.of(profiles.load(settings.profile).current)
    today = now().astimezone(gateway.ZONE).date()
    findings = [_year(calendar, today.year)]
    if today.month >= NOTICE_MONTH:
        findings.append(_year(calendar, today.year + 1))
    return findings


async def _calls(settings: Settings) -> Sequence[Finding]:
    async with gateway.open_books(settings) as books:
        rows = await books.store.read(lambda connection: calls.owed(connection, MANY))
    late = [row for row in rows if row.created_at < millis(now()) - CALLED_WITHIN_MS]
    cure = "用 jiesu outbox calls 查看，打完后用 jiesu outbox called 单号 记下" if late else ""
    what = f"电话：有 {len(rows)} 条通知要打电话告诉市民，其中 {len(late)} 条已过一天"
    return [Finding(ok=not late, what=what, cure=cure)]


async def _forgetting(settings: Settings) -> Sequence[Finding]:
    async with gateway.open_books(settings) as books:
        last = await books.store.read(forgetting.mark)
        new = not await books.store.read(forgetting.anything_before(millis(now()) - FORGOTTEN_WITHIN_MS))
    if last is None and new:
        return [Finding(ok=True, what="到期删除：还没有需要查看的内容")]
    cure = "运行 jiesu retention run；若网关正在运行，请在日志里查找 forgetting.failed"
    if last is None:
        return [Finding(ok=False, what="到期删除：从未进行过", cure=cure)]
    began = instant(last.began_at).astimezone(gateway.ZONE)
    stand = "还在进行" if last.ended_at is None else "已完成"
    well = last.began_at > millis(now()) - FORGOTTEN_WITHIN_MS
    what = f"到期删除：最近一次从 {began:%Y-%m-%d %H:%M} 开始，{stand}，处理了 {last.gone} 条"
    return [Finding(ok=well, what=what, cure="" if well else cure)]


async def _single_sign_on(settings: Settings) -> Sequence[Finding]:
    oidc = settings.desk.oidc
    if oidc is None:
        return []
    from gateway.web.desk import checkup  # noqa: PLC0415 - slow to import, and for those who set it

    async with ClientSession(timeout=ClientTimeout(total=10)) as http:
        return await checkup.examine(oidc, http=http, site=settings.public_url, now=now)


def _year(calendar: Calendar, year: int) -> Finding:
    if calendar.knows(year):
        return Finding(ok=True, what=f"工作日历：有 {year} 年的放假和调休安排")
    cure = "升级 holidays 软件包，或在城市档案里写明放假与调休的日期"
    return Finding(ok=False, what=f"工作日历：没有 {year} 年的放假和调休安排", cure=cure)


class _Nothing:
    """Stands for whatever a check has no use for."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


async def _channels(settings: Settings) -> Sequence[Finding]:
    if not settings.channels:
        return [
            Finding(
                ok=False,
                what="渠道：一个也没有设置",
                cure="在配置文件里加 [channels.wx]，见 docs/channels.md",
            )
        ]
    async with _asking() as tools:
        made = gateway.make_channels(settings, tools)
        findings = [finding for channel in made.values() for finding in await channel.check()]
        return findings + await _remembered(settings, tools)


@asynccontextmanager
async def channels_of(settings: Settings) -> AsyncIterator[Mapping[str, Channel]]:
    """Give the channels of a configuration, to ask their providers by and for nothing else; raises Misconfigured."""
    async with _asking() as tools:
        yield gateway.make_channels(settings, tools)


@asynccontextmanager
async def _asking() -> AsyncIterator[Tools]:
    async with ClientSession(timeout=ClientTimeout(total=10)) as http:
        nothing: Any = _Nothing()
        yield Tools(
            inbox=nothing,
            receipts=nothing,
            consents=nothing,
            opinions=nothing,
            unions=nothing,
            parts=nothing,
            cursors=nothing,
            uploaded=nothing,
            blobs=nothing,
            media=nothing,
            keys=buses.MemoryBus(),
            http=http,
            meter=Metrics(),
            now=now,
            sign=lambda text: bytes(32),  # noqa: ARG005 - no check signs
        )


async def _remembered(settings: Settings, tools: Tools) -> list[Finding]:
    """Return what those met that run, where they share it."""
    if settings.redis is None:
        return []
    bus = await buses.open_bus(settings.redis)
    try:
        return [*(await troubles(gateway.make_channels(settings, replace(tools, keys=bus)))).values()]
    finally:
        await bus.close()
