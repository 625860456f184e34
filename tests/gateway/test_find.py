"""Cases found by their words, and by the words of a photographed letter."""

from functools import partial

import pytest

from gateway import views
from gateway.media.intake import Claim
from gateway.runtime import Ids
from gateway.store import media as rows
from tests.kit import media
from tests.kit.gateway import Person, settings


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("井盖", True),
        ("井盖 东岳大街", True),
        ("井蓋", True),
        ("井盖 学校", False),
        ("人民路路灯", True),
        ("张三", False),
    ],
)
async def test_a_case_is_found_by_what_was_said_and_by_what_was_read(
    gateway, clock, words, found, database, tmp_path
):
    number = await Person(gateway, clock).reports()
    taken = await gateway.media.intake.take(media.streamed(media.photo()), Claim(number))
    letter = gateway.books.sealer.seal("关于人民路路灯不亮的投诉".encode())
    await gateway.books.store.write(
        partial(rows.note_words, owner=number, key=taken.key, words=letter, noted=Ids()())
    )
    cases = await views.found(settings(database, tmp_path), words, limit=9, full=False)
    assert [case["case_no"] for case in cases] == ([number] if found else [])
    assert "13812345678" not in str(cases)
