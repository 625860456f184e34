"""How fast and how well is a question looked up? (``script/bench knowledge``)

The example entries, and as many copies of them as make a large base, are asked every paraphrase of the tests. The
floor is taking the same questions apart into words alone. Precision and recall are those at the floor under which
the bot gives no answer. ``--complaints FILE`` (JSON lines with ``text``) also counts how many matters that are no
questions would be answered instead of taken; such data is not ours to ship.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from bots.answers import asks
from gateway.knowledge.entry import Entry
from gateway.knowledge.exchange import read_json
from gateway.knowledge.search import NEAR, Hit, Index, sure, taken_apart
from normalizer.draft import draft
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel
from tests.bench.apart import quiet
from tests.gateway.paraphrases import FRESH, QUESTIONS, rows
from tests.kit.cases import NOW

ROUNDS = 5
COPIES = (1, 10, 50)


def starter() -> tuple[Entry, ...]:
    """Return the example entries."""
    return read_json(resources.files("gateway").joinpath("knowledge/starter.json").read_text("utf-8"))


def large(copies: int) -> tuple[Entry, ...]:
    """Return the example entries several times over, each copy with a word of its own."""
    return tuple(
        replace(
            entry,
            id=f"{entry.id}-{n}",
            title=f"{entry.title}{n}号",
            variants=tuple(f"{way}{n}号" for way in entry.variants),
        )
        for n in range(copies)
        for entry in starter()
    )


def nearest(index: Index, text: str) -> tuple[Hit, ...]:
    """Look a question up as the bot does."""
    return index.near(text, suits=lambda entry: True, limit=3)


def speed(look: Callable[[str], object], questions: Sequence[str], rounds: int) -> dict[str, float]:
    """Return look-ups a second and the times of single ones in microseconds, the middle of the rounds."""
    rates, taken = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        for question in questions:
            at = time.perf_counter()
            look(question)
            taken.append((time.perf_counter() - at) * 1e6)
        rates.append(len(questions) / (time.perf_counter() - began))
    taken.sort()
    return {
        "per_second": round(statistics.median(rates)),
        "p50_us": round(taken[len(taken) // 2]),
        "p99_us": round(taken[int(len(taken) * 0.99)]),
    }


def quality(table: str) -> dict[str, float | int]:
    """Return how many paraphrases are answered, offered, and answered wrongly."""
    index = Index(starter())
    found = [(ids, nearest(index, question)) for question, ids in rows(table)]
    answered = [(ids, hits[0]) for ids, hits in found if sure(hits)]
    right = sum(hit.entry.id in ids for ids, hit in answered)
    asked = sum(bool(ids) for ids, _ in found)
    near = sum(any(h.entry.id in ids and h.score >= NEAR for h in hits) for ids, hits in found)
    return {
        "questions": asked,
        "without_answer": len(found) - asked,
        "answered": len(answered),
        "precision": round(right / len(answered), 3),
        "recall": round(right / asked, 3),
        "recall_with_offers": round(near / asked, 3),
        "answered_without_answer": sum(not ids for ids, _ in answered),
    }


def complaints(path: Path) -> dict[str, int]:
    """Return how many matters are looked up at all, and how many would get an answer."""
    index = Index(starter())
    texts = [json.loads(line)["text"].strip() for line in path.read_text("utf-8").splitlines()]
    looked = [text for text in texts if asks(draft(_message(text)))]
    answered = [text for text in looked if sure(nearest(index, text))]
    return {"matters": len(texts), "looked_up": len(looked), "answered": len(answered)}


def _message(text: str) -> InboundMessage:
    part = Part(PartKind.TEXT, text=text)
    return InboundMessage("wx", "bench", "1", SourceChannel.WECHAT, NOW, NOW, (part,), b"")


def report(rounds: int, path: Path | None) -> dict[str, Any]:
    """Return all figures."""
    questions = [question for question, _ in rows()]
    made: dict[str, Any] = {
        "quality": quality(QUESTIONS),
        "fresh": quality(FRESH),
        "floor": speed(taken_apart, questions, rounds),
    }
    for copies in COPIES:
        entries = large(copies)
        began = time.perf_counter()
        index = Index(entries)
        built = time.perf_counter() - began
        look = speed(lambda text, index=index: nearest(index, text), questions, rounds)  # type: ignore[misc]
        made[f"entries_{len(entries)}"] = {"build_s": round(built, 2), **look}
    if path is not None:
        made["complaints"] = complaints(path)
    return made


def main() -> None:
    """Print the figures for people, or with ``--json`` as one object."""
    parser = argparse.ArgumentParser(prog="script/bench knowledge", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--complaints", type=Path)
    given = parser.parse_args()
    quiet()
    figures = report(given.rounds, given.complaints)
    if given.json:
        print(json.dumps(figures, ensure_ascii=False, indent=1))
        return
    for name, values in figures.items():
        print(f"{name:>16}  " + "  ".join(f"{key} {value}" for key, value in values.items()))


if __name__ == "__main__":
    main()
