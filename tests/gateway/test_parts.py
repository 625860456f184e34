"""Parts of long messages and files: kept before anybody is thanked, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.contract import LongPart
from gateway.blobs import LocalBlobs
from gateway.parts import Parts
from gateway.store.seal import Sealer
from normalizer.errors import Busy, NotFound
from tests.kit.cases import NOW


def part(number, *, total=2, reference=7, sender="13812345678", name="", text="", minutes=0):
    at = NOW + timedelta(minutes=minutes)
    name = name or f"{sender}-{reference}-{number}"
    return LongPart("sms", sender, reference, total, number, name, text or f"第{number}段", at)


async def texts(parts, *kept):
    whole = ()
    for each in kept:
        whole = await parts.keep(each)
    return [each.text for each in whole]


async def test_the_last_part_brings_all_in_order(parts):
    assert await texts(parts, part(3, total=3), part(1, total=3)) == []
    assert await texts(parts, part(2, total=3)) == ["第1段", "第2段", "第3段"]


async def test_two_citizens_with_one_reference_are_two_messages(parts):
    other = {"sender": "13987654321"}
    assert await texts(parts, part(2), part(2, **other)) == []
    assert await texts(parts, part(1, **other, text="乙一")) == ["乙一", "第2段"]
    assert await texts(parts, part(1, text="甲一")) == ["甲一", "第2段"]


async def test_until_it_is_done_the_whole_comes_again(parts):
    await texts(parts, part(1))
    assert await texts(parts, part(2)) == await texts(parts, part(2)) == ["第1段", "第2段"]
    await parts.done(await parts.keep(part(2)))
    assert await texts(parts, part(2), part(1)) == []
    assert await parts.overdue("sms", NOW + timedelta(hours=1)) == []


async def test_the_same_reference_later_is_a_new_message(parts):
    await parts.done([part(1)] if await texts(parts, part(1), part(2)) else [])
    assert await texts(parts, part(1, name="n1", text="新一")) == []
    assert await texts(parts, part(2, name="n2", text="新二")) == ["新一", "新二"]


async def test_a_copy_under_another_name_counts_once(parts):
    assert await texts(parts, part(1), part(1, name="copy", text="副本", minutes=1)) == []
    assert await texts(parts, part(2)) == ["第1段", "第2段"]


async def test_what_stays_incomplete_is_given_out_after_its_time(parts):
    await texts(parts, part(2, total=3), part(1, total=3, minutes=2))
    assert await parts.overdue("sms", NOW + timedelta(minutes=1)) == []
    assert await parts.overdue("other", NOW + timedelta(hours=1)) == []
    [found] = await parts.overdue("sms", NOW + timedelta(minutes=3))
    assert [each.number for each in found] == [1, 2]
    await parts.done(found)
    assert await parts.overdue("sms", NOW + timedelta(hours=1)) == []


async def test_a_part_that_cannot_be_written_is_not_thanked_for(tmp_path):
    class Broken:
        async def write(self, work):
            raise OSError("disk full")

    parts = Parts(store=Broken(), sealer=Sealer(bytes(32)), now=lambda: NOW)
    with pytest.raises(Busy):
        await parts.keep(part(1))


async def test_a_file_comes_back_as_it_was_and_lies_sealed(tmp_path):
    blobs = LocalBlobs(tmp_path, Sealer(bytes(32)))
    key = await blobs.put("人民路的照片".encode())
    assert await blobs.put("人民路的照片".encode()) == key
    assert (await blobs.get(key)).decode() == "人民路的照片"
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "照片".encode() not in file.read_bytes()


@pytest.mark.parametrize("key", ["0" * 64, "../../etc/passwd", "", "é" * 64])
async def test_a_key_that_is_none_finds_nothing(tmp_path, key):
    with pytest.raises(NotFound):
        await LocalBlobs(tmp_path, Sealer(bytes(32))).get(key)


@pytest.fixture
def parts(store):
    return Parts(store=store, sealer=Sealer(bytes(32)), now=lambda: NOW)
