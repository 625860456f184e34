from datetime import UTC, datetime

import pytest

from normalizer import classify, numbers
from normalizer.draft import draft, title_of
from normalizer.message import EventKind, InboundMessage, Part, PartKind, SourceChannel
from normalizer.place import place_in
from normalizer.tone import Tone, tone
from normalizer.when import when_in

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("①", 1),
        ("1.", 1),
        ("选2", 2),
        ("第三项", 3),
        ("十", 10),
        ("0", 0),
        ("10号楼", None),
        ("138", None),
        ("", None),
    ],
)
def test_an_answer_that_is_one_number(text, number):
    assert numbers.digit(text) == number


def test_yes_and_no():
    assert all(numbers.yes(word) for word in ("是", "好的", "可以。", "OK", "提交"))
    assert all(numbers.no(word) for word in ("不", "没有了", "不用", "取消"))
    assert not numbers.yes("是不是")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("人民路与建设路交叉口井盖丢了", "人民路"),
        ("我家住在泰山区东岳大街88号3号楼", "泰山区东岳大街88号3号楼"),
        ("小区里太吵了", None),
        ("公积金怎么提取", None),
    ],
)
def test_a_place_is_read_as_it_is_written(text, place):
    found = place_in(text)
    assert (found or "").startswith(place) if place else found is None


def test_a_time_is_read_with_its_day():
    found = when_in("昨晚十点开始停水", NOW)
    assert found is not None
    assert found.text.startswith("昨晚")
    assert found.at is not None
    assert found.at.date().isoformat() == "2026-11-23"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", Tone.CALM),
        ("求求你们了", Tone.UPSET),
        ("太气人了没人管", Tone.ANGRY),
        ("你们这群废物", Tone.ABUSIVE),
    ],
)
def test_tone(text, expected):
    assert tone(text) is expected


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("惠企政策补贴什么时候到账", "A01"), ("健身卡不退钱，商家跑路", "B01"), ("饭店食物吃坏肚子", "B02"), ("电梯老坏", "B04"),
        ("红绿灯坏了", "C02"), ("物业费太高业委会不管", "C04"), ("拖欠农民工工资", "C07"), ("家里停水三天", "D01"),
        ("暖气不热", "D04"), ("井盖丢了", "D05"), ("医保报销比例", "D09"), ("公积金提取", "D11"), ("油烟太大", "E01"),
        ("工厂偷排污水到河道", "E02"),
    ],
)  # fmt: skip
def test_every_field_has_its_telling_words(text, category):
    assert classify.category_of(text)[0] == category


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("请问怎么办理居住证", "01"),
        ("路灯坏了请维修", "02"),
        ("投诉物业乱收费", "03"),
        ("举报偷排污水", "04"),
        ("建议增设红绿灯", "05"),
        ("什么也不是", "99"),
    ],
)
def test_the_kind_of_a_matter(text, kind):
    assert classify.kind_of(text)[0] == kind


def test_a_title_says_the_matter_without_the_person():
    assert title_of("您好，我想反映一下，人民路井盖丢了。请打13812345678") == "人民路井盖丢了"
    assert "138****5678" in title_of("请联系13812345678处理停水")


def test_one_message_is_read_whole():
    parts = (Part(PartKind.TEXT, text="　着火了！！ "), Part(PartKind.IMAGE, media_id="m1"))
    read = draft(_message(*parts))
    assert read.text == "着火了！！"
    assert read.emergency is not None
    assert [attachment.media_id for attachment in read.attachments] == ["m1"]
    assert not read.empty


def test_an_event_is_read_as_one():
    read = draft(_message(Part(PartKind.EVENT, event=EventKind.CLICK, key="REPORT")))
    assert read.event is not None
    assert read.empty


def _message(*parts):
    return InboundMessage("wx", "o1", "1", SourceChannel.WECHAT, NOW, NOW, parts, b"")
