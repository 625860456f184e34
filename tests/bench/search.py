"""How fast are sealed words found, and how large is the index? (``script/bench search``)

Lines of talks about streets, numbers and matters are indexed; questions for common, rare and absent words are asked of
a file of SQLite. The floor is opening every line, newest first, until fifty are found.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from gateway.desk.grams import Grams
from gateway.store import search as sql
from gateway.store.migrate import upgrade
from gateway.store.seal import Sealer
from gateway.store.sqlite import SqliteStore

_STREETS = "东岳大街 泰山大街 擂鼓石路 灵山大街 迎胜路 龙潭路 望岳路 长城路 温泉路 财源街 青年路 岱宗大街 南湖街 奈河路".split()
_MATTERS = "井盖丢失 路灯不亮 停水三天 暖气不热 噪音扰民 占道经营 违规停车 垃圾没人清 电梯故障 公交改线 欠薪不给 学区划分".split()
_TAILS = "请尽快处理 已经反映过两次 老人出行不便 麻烦催一下 昨天晚上开始的 什么时候能修好 谢谢 孩子上学很危险".split()
QUESTIONS = {
    "common": "尽快处理",
    "two words": "井盖 擂鼓石路",
    "rare": "石敢当巷",
    "absent": "南天门索道",
}


def lines(count: int, seed: int = 1) -> list[str]:
    """Return lines as citizens write them."""
    chance = random.Random(seed)
    made = [
        f"{chance.choice(_STREETS)}{chance.randint(1, 400)}号附近{chance.choice(_MATTERS)}，{chance.choice(_TAILS)}"
        for _ in range(count)
    ]
    made[count // 3] = "石敢当巷12号门前积水"
    return made


async def measured(count: int, folder: Path) -> dict[str, float]:
    """Return bytes of the index a line, microseconds to index one, and milliseconds to find."""
    store, sealer = await SqliteStore.open(folder / "bench.sqlite3"), Sealer(b"k" * 32)
    await store.write(upgrade)
    grams, said = Grams(sealer), lines(count)
    before, began = (folder / "bench.sqlite3").stat().st_size, time.perf_counter()
    for at in range(0, count, 500):
        docs = [
            (sql.Doc(0, "inbox", n.to_bytes(16), None, n, b""), grams.of(text))
            for n, text in enumerate(said[at : at + 500], at)
        ]
        await store.write(partial(sql.put, docs=docs))
    found: dict[str, float] = {"index_us": (time.perf_counter() - began) / count * 1e6}
    await store.write(lambda c: c.exec_driver_sql("ANALYZE"))
    for name, query in QUESTIONS.items():
        wanted, times = sorted(grams.of(query)), []
        for _ in range(20):
            began = time.perf_counter()
            await store.read(partial(sql.find, grams=wanted, kinds=("inbox",), limit=400))
            times.append((time.perf_counter() - began) * 1e3)
        found[f"{name}_ms"] = statistics.median(times)
    sealed = [sealer.seal(text.encode()) for text in said]
    began = time.perf_counter()
    for each in sealed:
        sealer.open(each).decode()
    found["floor_open_all_ms"] = (time.perf_counter() - began) * 1e3
    await store.close()
    found["bytes_a_line"] = ((folder / "bench.sqlite3").stat().st_size - before) / count
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(given.lines, Path(folder)))
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>20} {value:10.2f}")


if __name__ == "__main__":
    main()
