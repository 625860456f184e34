"""Replies at hand, macros, the warnings before sending, and initials."""

import pytest

from gateway.desk.replies import Canned, Preview, Replies, parse, preview, write
from gateway.desk.wording import warnings
from normalizer.errors import InvalidInput
from normalizer.pinyin import initials


async def test_the_starter_set_is_there_from_the_first_day_and_offends_against_nothing(replies):
    starters = await replies.all()
    assert len(starters) >= 30
    found = {each.id: {warned.rule for warned in warnings(each.text)} - {"unfilled"} for each in starters}
    assert {key for key, rules in found.items() if rules} == set()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        pytest.param("已受理", "accepted", id="by its title"),
        pytest.param("ysl", "accepted", id="by its initials"),
        pytest.param("greet", "greet", id="by its id"),
        pytest.param("拍一两张", "ask_photo", id="by its words"),
    ],
)
async def test_a_reply_is_found(replies, words, first):
    assert (await replies.find(words))[0].id == first


async def test_what_matches_nothing_finds_nothing(replies):
    assert await replies.find("没有这样的话") == ()


async def test_a_hotline_changes_one_takes_one_away_and_adds_one(replies):
    brought = await replies.read(
        '[greet]\ntitle="问候"\ntext="您好"\n[bye]\ntitle="结束"\ntext=""\n'
        '[mine]\ntitle="本市"\ntext="见{城市}官网"\nacts=["close"]\n'
    )
    now = {each.id: each for each in await replies.all()}
    assert (brought, now["greet"].text, "bye" in now) == (3, "您好", False)
    assert now["mine"] == Canned("mine", "本市", "见{城市}官网", ("close",))


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("[a", id="no TOML"),
        pytest.param('[A]\ntitle="x"\ntext="y"', id="an id that cannot be typed"),
        pytest.param('[a]\ntitle="x"\ntext="{身份证}"', id="a variable that is none"),
        pytest.param('[a]\ntitle="x"\ntext="y"\nacts=["explode"]', id="an act that is none"),
        pytest.param('[a]\ntitle="x"\ntext="y"\nmore=1', id="a field that is none"),
        pytest.param('a="x"', id="no table"),
    ],
)
async def test_a_bad_file_brings_nothing(replies, file):
    before = await replies.all()
    with pytest.raises(InvalidInput):
        await replies.read(file)
    assert await replies.all() == before


async def test_what_is_exported_can_be_imported(replies):
    every = await replies.all()
    assert tuple(parse(write(every)).values()) == every


def test_a_preview_fills_what_is_known_and_shows_what_is_not():
    reply = Canned("r", "已登记", "{称呼}，单号{单号}，再说一遍{单号}", ("close",))
    assert preview(reply, {"称呼": "李女士"}) == Preview(
        "李女士，单号{单号}，再说一遍{单号}", ("单号",), ("close",)
    )


@pytest.mark.parametrize(
    ("lang", "text", "said"),
    [
        pytest.param("zh", "{称呼}您好，请讲", "您好，请讲", id="before the greeting"),
        pytest.param("zh", "{称呼}，请讲", "您好，请讲", id="in place of one"),
        pytest.param("zh", "尊敬的{称呼}：请讲", "您好：请讲", id="with honours"),
        pytest.param("en", "{称呼}, please go on", "Hello, please go on", id="in English"),
    ],
)
def test_who_has_told_no_name_is_greeted_and_no_brace_is_sent(lang, text, said):
    assert preview(Canned("r", "问候", text, lang=lang), {"称呼": ""}) == Preview(said, (), ())


async def test_no_starter_leaves_a_gap_but_the_number_of_a_case(replies):
    values = dict.fromkeys(("热线", "城市", "座席", "今天"), "x")
    assert {name for each in await replies.all() for name in preview(each, values).missing} == {"单号"}


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        pytest.param("这事不归我管，你找别人", {"push_off"}, id="pushing off"),
        pytest.param("這事不歸我管", {"push_off"}, id="in traditional characters"),
        pytest.param("您可以拨打13812345678", {"phone"}, id="a telephone"),
        pytest.param("您的证件11010519491231002X已收到", {"id_card"}, id="an identity number"),
        pytest.param("已为您登记，单号{单号}", {"unfilled"}, id="a gap"),
        pytest.param("请输入{密码}两个字", set(), id="braces of somebody's own"),
        pytest.param("已为您登记，会尽快办理", set(), id="nothing"),
    ],
)
def test_an_agent_is_warned_before_sending(text, rules):
    assert {warned.rule for warned in warnings(text)} == rules


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("已受理", "ysl"),
        ("转专席", "zzx"),
        ("请拨110", "qb110"),
        ("Wi-Fi 问题", "wifiwt"),
        ("阿座", "az"),
        ("㗎咗", ""),
        ("鹌鹑", ""),
    ],
)
def test_initials_of_common_characters_are_known(text, letters):
    assert initials(text) == letters


@pytest.fixture
def replies(gateway, clock) -> Replies:
    return Replies(gateway.books.store, clock)
