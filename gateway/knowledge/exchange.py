"""Entries in and out as CSV and JSON; a bad row is named by its line, its field and what to do about it.

In CSV a field with several values has one a line. Empty fields are left out of JSON. What is written reads back
the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gateway.knowledge.entry import SHORT, ZONE, Entry, Security, Status
from normalizer.codes import CATEGORY_LABELS
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

COLUMNS = tuple(each.name for each in fields(Entry))
LISTS = frozenset({"variants", "materials", "steps", "audience"})
DAYS = frozenset({"effective_from", "valid_until", "review_due"})
LENGTHS = {"id": 64, "title": 60, "answer_short": SHORT, "answer_full": 5000, "fee": 200, "basis": 200}
LONGEST = 500
"""Characters of a field that has no length of its own."""
MANY = 60
"""Values of a field that has several."""
REGION = 6
_NEEDED = tuple(each.name for each in fields(Entry) if each.default is MISSING)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file: the line (for JSON the entry's place), the field, and what to do."""

    line: int
    field: str
    cure: str

    def __str__(self) -> str:
        """Return it as it is told."""
        return f"第{self.line}行 {self.field}：{self.cure}"


class BadFile(InvalidInput):
    """A file of entries that cannot be taken; ``faults`` name every one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def read_csv(text: str) -> tuple[Entry, ...]:
    """Return the entries of a CSV file with a head line; raises BadFile."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, Any]]] = []
    line = 2
    try:
        if unknown := sorted(set(reader.fieldnames or ()) - set(COLUMNS)):
            raise BadFile([Fault(1, each, f"没有这一列；可用的列：{'、'.join(COLUMNS)}") for each in unknown])
        if missing := [each for each in _NEEDED if each not in (reader.fieldnames or ())]:
            raise BadFile([Fault(1, "表头", f"缺少{'、'.join(missing)}；第一行应是列名")])
        for row in reader:
            if None in row or None in row.values():
                raise BadFile([Fault(line, "整行", "列数与表头不符；请检查引号和逗号")])
            rows.append((line, {name: _of_cell(name, cell) for name, cell in row.items()}))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadFile([Fault(line, "整行", f"不是有效的 CSV（{error}）；请检查引号")]) from error
    return _entries(rows)


def read_json(text: str) -> tuple[Entry, ...]:
    """Return the entries of a JSON array; raises BadFile."""
    try:
        rows = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise BadFile([Fault(line, "整个文件", f"不是有效的 JSON（{error}）")]) from error
    if not isinstance(rows, list):
        raise BadFile([Fault(1, "整个文件", "应是一个数组，每个元素是一条知识")])
    if strange := [n for n, row in enumerate(rows, 1) if not isinstance(row, dict)]:
        raise BadFile([Fault(n, "整条", "应是一个对象") for n in strange])
    return _entries(enumerate(rows, 1))


def write_csv(entries: Iterable[Entry]) -> str:
    """Return entries as CSV."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _to_cell(value) for name, value in _plain(entry).items()} for entry in entries)
    return out.getvalue()


def write_json(entries: Iterable[Entry]) -> str:
    """Return entries as a JSON array, empty fields left out."""
    rows = [{name: value for name, value in _plain(entry).items() if value} for entry in entries]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Return the entry of one object as ``write_json`` writes it; raises BadFile."""
    return _entries([(1, row)])[0]


def _entries(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[Entry, ...]:
    faults: list[Fault] = []
    entries: dict[str, Entry] = {}
    for line, row in rows:
        values, wrong = _values(line, row)
        faults += wrong
        if wrong:
            continue
        if values["id"] in entries:
            faults.append(Fault(line, "id", f"“{values['id']}”出现了两次；每条知识的编号不能相同"))
        entries[values["id"]] = Entry(**values)
    if faults:
        raise BadFile(faults)
    return tuple(entries.values())


def _values(line: int, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults = [Fault(line, name, "没有这个字段") for name in row if name not in COLUMNS]
    faults += [Fault(line, name, "不能为空") for name in _NEEDED if not row.get(name)]
    for name in COLUMNS:
        if name not in row or row[name] in ("", None):
            continue
        try:
            values[name] = _reader(name)(name, row[name])
        except ValueError as error:
            faults.append(Fault(line, name, str(error)))
    return values, faults


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("应是文字")  # noqa: TRY004 - one kind of error for all bad values
    longest = LENGTHS.get(name, LONGEST)
    if len(value) > longest:
        raise ValueError(f"有{len(value)}个字，最多{longest}个；请缩短")
    if any(ord(character) < ord(" ") and character not in "\n\t" for character in value):
        raise ValueError("含有控制字符；请删去")
    return value


def _list(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("应是一个列表")  # noqa: TRY004 - one kind of error for all bad values
    if len(value) > MANY:
        raise ValueError(f"有{len(value)}项，最多{MANY}项")
    return tuple(_line(name, each) for each in value)


def _line(name: str, value: Any) -> str:
    text = _text(name, value)
    if not text.strip() or "\n" in text:
        raise ValueError("每一项应是一行文字，不能是空行")
    return text


def _day(name: str, value: Any) -> date:  # noqa: ARG001 - every reader has one shape
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"“{value}”不是日期；请写成 2026-12-31") from error


def _instant(name: str, value: Any) -> datetime:  # noqa: ARG001 - every reader has one shape
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"“{value}”不是时间；请写成 2026-12-31T09:00:00+08:00") from error
    return at if at.tzinfo else at.replace(tzinfo=ZONE)


def _number(name: str, value: Any) -> int:  # noqa: ARG001 - every reader has one shape
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) < 1:
        raise ValueError("应是从 1 开始的整数")
    return int(value)


def _one_of(known: Collection[str], make: Callable[[str], Any], cure: str) -> Callable[[str, Any], Any]:
    def read(name: str, value: Any) -> Any:  # noqa: ARG001 - every reader has one shape
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"“{value}”不认识；{cure}")
        return make(value)

    return read


def _region(name: str, value: Any) -> str:  # noqa: ARG001 - every reader has one shape
    if not isinstance(value, str) or len(value) != REGION or not (value.isascii() and value.isdecimal()):
        raise ValueError(f"“{value}”不是6位行政区划代码；不限地区请留空")
    return value


def _link(name: str, value: Any) -> str:
    text = _text(name, value)
    if not text.startswith(("https://", "http://")):
        raise ValueError("网址应以 https:// 开头")
    return text


def _reader(name: str) -> Callable[[str, Any], Any]:
    return _READ.get(name, _text)


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(LISTS, _list),
    **dict.fromkeys(DAYS, _day),
    "updated_at": _instant,
    "version": _number,
    "category": _one_of(CATEGORY_LABELS, str, "用 A01 到 E08 的分类代码，见 docs/knowledge.md"),
    "security": _one_of(tuple(Security), Security, f"可用：{'、'.join(Security)}"),
    "status": _one_of(tuple(Status), Status, f"可用：{'、'.join(Status)}"),
    "region": _region,
    "link": _link,
}


def _plain(entry: Entry) -> dict[str, Any]:
    return {name: _to_plain(getattr(entry, name)) for name in COLUMNS}


def _to_plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value or ""


def _of_cell(name: str, cell: str) -> Any:
    return cell.split("\n") if name in LISTS and cell else cell


def _to_cell(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value)
