"""Every sentence with the longest values it is likely to carry: short, civil, and with a way to a person."""

from __future__ import annotations

import re
import string

import pytest

from bots.sms import units
from bots.words import ELDERLY, ZH, say
from bots.words_en import EN
from bots.words_mail import MAIL
from bots.words_sms import FITS, LONGER, ONLY_SMS, SMS
from gateway.app import notice_words
from normalizer.codes import CATEGORY_LABELS, SATISFACTION_LABELS
from normalizer.text import han_count
from tests.bots.player import PROFILES

LONGEST, LONGEST_ELDERLY = 120, 60
FORBIDDEN = ("不知道", "不归我们管", "找别人", "这是规定", "你怎么", "没办法", "你")
LISTED = "｜人民路井盖丢失｜办理中(并入同类)"
FIELDS = {
    "city": "泰安",
    "hotline": "12345",
    "which": "尾号0000024，",
    "path": "路" * 90,
    "path_short": "路" * 45,
    "draft": ZH["mine_draft"],
    "pages": ZH["mine_pages"].format(url="https://12345.example/me"),
    "until": "12月31日08:30",
    "agent": "1024",
    "minutes": "2",
    "privacy": "，见https://12345.example/privacy",
    "url": "https://12345.example/privacy",
    "hours": "2",
    "count": "12",
    "kind": "意见建议",
    "place": "泰山区东岳大街八十八号院三号楼二单元",
    "text": "井" * 32 + "…",
    "contact": "欧阳** 138****5678",
    "secret": "是",
    "case_no": "37092611240001233",
    "code": "482913",
    "spot": "岱庙街道便民服务中心",
    "channel": "电子邮件",
    "tail": "尾号0001233",
    "title": "人民路与建设路交叉口井盖丢失很危险",
    "stage": "办理中(并入同类)",
    "unit": "泰安市住房和城乡建设局",
    "due": "\n应于12月31日前答复，已超期，我们会督办",
    "latest": "\n答复：" + "答" * 40 + "…",
    "rate": "回复“评价”可评价，",
    "lines": "\n".join(f"{n} 000123{n}{LISTED}" for n in range(1, 6)),
    "what": "补充",
    "day": "12月31日",
    "label": max(SATISFACTION_LABELS.values(), key=len),
    "ahead": "12",
    "agents": ZH["agents_none"].format(
        when=ZH["hours_later"].format(opens="08:30", closes="21:00"), hotline="12345"
    ),
    "when": ZH["hours_later"].format(opens="08:30", closes="21:00"),
    "opens": "08:30",
    "closes": "21:00",
    "low": "30",
    "high": "60",
    "wait": ZH["wait_band"].format(low="30", high="60"),
    "phone": "138****5678",
    "number": "1069012345",
    "mail_hours": "24",
    "name": "泰安12345",
    "mailbox": "12345@taian.gov.cn",
    # An answer may have 300 characters, as it was written; what is ours beside it is short.
    "short": "答" * 60,
    "basis": "《中华人民共和国社会保险法》第五十八条",
    "source": "市人力资源和社会保障局",
    "updated": "2026-11-24",
    "none": "4",
    "link": "https://12345.taian.gov.cn/up/" + "A" * 32,
    "ways": "“泰安12345”公众号或邮箱12345@taian.gov.cn",
}
FIELDS_SMS = FIELDS | {
    "privacy": "，见12345.taian.gov.cn/privacy",
    "text": "井" * 20 + "…",
    "title": "人民路井盖丢失",
    "unit": "泰安市住房和城乡建设局",
    "rate": ZH["progress_rate_sms"],
    "latest": "，答复：" + "答" * 100,
    "lines": "\n".join(f"{n}. 000123{n}人民路井盖，办理中(并入同类)" for n in range(1, 4)),
    "agents": ZH["agents_none_sms"].format(when=ZH["hours_later_sms"].format(opens="08:30", closes="21:00")),
    "when": ZH["hours_later_sms"].format(opens="08:30", closes="21:00"),
}
PROGRESS = FIELDS_SMS | {
    "tail": "0001233",
    "unit": ZH["progress_unit_sms"].format(unit=FIELDS["unit"]),
    "due": max(
        (ZH[key].format(day="12月31日") for key in ("progress_due_sms", "progress_overdue_sms")), key=units
    ),
}
ACTION = FIELDS_SMS | {
    "due": max((ZH[key].format(day="12月31日") for key in ("due_line_sms", "overdue_line_sms")), key=units)
}
FIELDS_ELDERLY = FIELDS | {
    "short": "答" * 20,
    "basis": "社会保险法第二条",
    "place": "泰山区东岳大街八十八号院…",
    "text": "井" * 24 + "…",
    "lines": "\n".join(f"{n} 000123{n}｜人民路井盖丢失" for n in range(1, 4)),
    "agents": ZH["agents_none_elderly"].format(hotline="12345"),
}
CHINESE = pytest.mark.parametrize("key", ZH)


FOR_ANY_VIEW = frozenset({"bind_code", "bound_there"})
"""A code, a number and what becomes of it cannot be said in half the words."""
BY_SMS = sorted({*SMS, *ONLY_SMS})


@CHINESE
def test_no_sentence_is_longer_than_a_message_may_be(key: str) -> None:
    assert han_count(ZH[key].format(**FIELDS)) <= LONGEST


@CHINESE
def test_what_the_elderly_read_is_half_as_long(key: str) -> None:
    shown = ELDERLY.get(key, key)
    if key in BY_SMS or key in MAIL or key in FOR_ANY_VIEW:
        return
    assert han_count(ZH[shown].format(**FIELDS_ELDERLY)) <= LONGEST_ELDERLY


@CHINESE
def test_no_sentence_is_rude_or_turns_anybody_away(key: str) -> None:
    assert not [word for word in FORBIDDEN if word in ZH[key]]


@pytest.mark.parametrize("key", [key for key in BY_SMS if key not in LONGER])
def test_what_is_said_by_sms_fits_one_segment_with_the_signature(key: str) -> None:
    fields = PROGRESS if key.startswith(("progress", "stranger")) else ACTION
    text = ZH[key].format(**fields)
    assert units(text) <= FITS, text


def test_what_may_be_longer_by_sms_is_still_short() -> None:
    for key in LONGER:
        assert units(ZH[key].format(**PROGRESS)) <= 3 * 67 - 9


@pytest.mark.parametrize("kind", notice_words())
def test_a_notice_by_sms_fits_one_segment_with_the_longest_unit(kind: str) -> None:
    fields = {
        "tail": "0001233",
        "case_no": "37092611240001233",
        "unit": max((unit.name for unit in PROFILES.current.units), key=len),
        "by": "12月31日",
        "reason": "具体地点和时间",
        "label": "信息公开",
        "text": "",
        "matter": max(CATEGORY_LABELS.values(), key=len),
    }
    assert units(notice_words()[kind]["short"].format(**fields)) <= FITS


@pytest.mark.parametrize("plain", [key.removesuffix("_sms") for key in SMS])
def test_the_wording_for_sms_stands_for_a_sentence_that_exists(plain: str) -> None:
    assert plain in ZH


MENUS = [
    key
    for key, text in ZH.items()
    if key not in {*BY_SMS, *MAIL} and len(re.findall(r"(?<!\d)[1-5] ?[一-鿿]", text)) >= 2
]
CHOICES_WITHOUT = {
    # Its own second choice is a person.
    "answer_solved",
    # There is danger: nothing may stand beside the numbers to call.
    *("danger", "danger_elderly"),
    # Whoever reads these waits for a person already.
    *("queued", "queued_elderly", "still_queued", "still_queued_elderly", "wait_choices", "desk_long"),
}


@pytest.mark.parametrize("key", sorted(set(MENUS) - CHOICES_WITHOUT))
def test_a_menu_ends_with_a_person(key: str) -> None:
    assert re.search("0 ?转人工|回0", ZH[key])


def test_the_menus_are_found() -> None:
    assert {"welcome", "menu", "review", "no_answer", "kept_order", *CHOICES_WITHOUT} <= set(MENUS)


@pytest.mark.parametrize("key", sorted(EN))
def test_the_english_sentence_takes_no_value_the_chinese_does_not(key: str) -> None:
    assert _fields(EN[key]) <= _fields(ZH[key])


@pytest.mark.parametrize("key", sorted(key for key in ZH if key.startswith(("desk_", "quiet_"))))
def test_what_is_said_of_a_person_at_the_desk_has_its_english(key: str) -> None:
    assert key in EN or key.removesuffix("_sms") in EN
    assert not set(EN.get(key, "")) & set("，。？！")


@pytest.mark.parametrize("plain", sorted(ELDERLY))
def test_the_elderly_sentence_takes_no_value_the_plain_one_does_not(plain: str) -> None:
    assert _fields(ZH[ELDERLY[plain]]) <= _fields(ZH[plain]) | {"hotline", "path_short"}


@pytest.mark.parametrize("lang", ["zh", "en", "ko", ""])
@CHINESE
def test_every_sentence_can_be_said_in_every_language(lang: str, key: str) -> None:
    assert "{" not in say(lang, key, **FIELDS)


def test_a_sentence_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("zh", "nothing")


def test_the_city_of_the_profile_fits() -> None:
    city = PROFILES.city
    words = say("zh", "welcome", city=city.name, hotline=city.hotline, privacy="")
    assert han_count(words) <= LONGEST


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
