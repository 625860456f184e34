import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.contract import SendError, SendReason
from gateway.app import notice_words
from normalizer.errors import Misconfigured
from outbox.notices import Notice, NoticeKind
from outbox.render import ROOM, Wording, render
from outbox.retry import Again, GiveUp, OtherWay, Unknown, decide

FIELDS = {
    "by": "12月31日",
    "unit": "市城市管理局",
    "reason": "需要补充材料",
    "text": "已处理",
    "label": "行政复议",
    "matter": "惠企政策与营商环境",
}
NUMBER = "37092611240001233"
FOLLOWERS = {NoticeKind.FOLLOWED, NoticeKind.FOLLOW_ENDED}
WORDS = notice_words()


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_has_its_wordings_and_says_which_case_to_whose_it_is(kind):
    notice = Notice(NUMBER, kind, 1, FIELDS)
    for wording in Wording:
        words = render(notice, notice_words(), wording)
        assert "{" not in words
        assert ("0001233" in words) is (kind not in FOLLOWERS) or kind is NoticeKind.NEED_INFO


@pytest.mark.parametrize("kind", NoticeKind)
def test_no_page_asks_for_a_digit_or_a_command(kind):
    words = render(Notice(NUMBER, kind, 1, FIELDS), notice_words(), Wording.PAGE)
    assert not re.search("回复 ?[0-9]|回复“|[A-Z]{2}", words)


def test_a_notice_that_may_not_carry_the_answer_tells_where_it_is_read():
    told = {
        wording: render(Notice(NUMBER, NoticeKind.ANSWERED, 1), notice_words(), wording)
        for wording in Wording
    }
    assert "请回复 3 查看" in told[Wording.LONG]
    assert "请在“查进度”里查看" in told[Wording.PAGE]


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_by_sms_fits_one_segment_with_its_signature(kind):
    words = render(Notice(NUMBER, kind, 1, FIELDS), notice_words(), Wording.SHORT)
    assert len("【泰安12345】" + words) <= 70


LONGER = "申请人提出的材料与现场情况不符，需要补充由社区出具的证明😀👍🏽和近三个月的缴费记录" * 3


@pytest.mark.parametrize("kind", NoticeKind)
@given(written=st.text(st.sampled_from("材料，a1😀\n"), max_size=90))
@example(written=LONGER)
def test_whatever_people_wrote_a_notice_by_sms_fits_one_segment(kind, written):
    fields = FIELDS | dict.fromkeys(("unit", "reason", "text", "label"), written)
    words = render(Notice(NUMBER, kind, 1, fields), WORDS, Wording.SHORT)
    assert len(("【泰安12345】" + words).encode("utf-16-be")) <= 140
    assert ("{by}" not in WORDS[kind]["short"]) or "12月31日" in words


def test_what_people_wrote_is_cut_at_its_end_and_says_so():
    need_info = Notice(NUMBER, NoticeKind.NEED_INFO, 1, FIELDS | {"reason": LONGER})
    words = render(need_info, WORDS, Wording.SHORT)
    assert words.startswith("您的诉求缺少申请人提出的材料与现场情况")
    assert words.endswith("…，请于12月31日前回复“BC+内容”，或拨12345。")
    assert len("【泰安12345】" + words) == 70
    assert LONGER in render(need_info, WORDS, Wording.LONG)


@pytest.mark.parametrize(("spare", "cut"), [(0, False), (1, True)])
def test_what_just_fits_is_not_cut(spare, cut):
    room = ROOM - len(WORDS["rejected"]["short"].format(tail="0001233", label=""))
    fields = FIELDS | {"label": "字" * (room + spare)}
    assert ("…" in render(Notice(NUMBER, NoticeKind.REJECTED, 1, fields), WORDS, Wording.SHORT)) is cut


def test_a_value_that_is_missing_is_a_fault_of_ours():
    with pytest.raises(Misconfigured):
        render(Notice(NUMBER, NoticeKind.DISPATCHED, 1, {}), notice_words(), Wording.LONG)


def test_one_notice_per_case_event_and_round():
    assert Notice(NUMBER, NoticeKind.RATE, 7).key == f"{NUMBER}:rate:7"


@pytest.mark.parametrize(
    ("reason", "attempts", "decision"),
    [
        (SendReason.TIMEOUT, 1, Unknown()),
        (SendReason.WINDOW, 1, OtherWay()),
        (SendReason.QUOTA, 1, OtherWay()),
        (SendReason.CONTENT, 1, GiveUp()),
        (SendReason.BUSY, 1, Again(2.0)),
        (SendReason.BUSY, 2, Again(4.0)),
        (SendReason.BUSY, 3, GiveUp()),
        (SendReason.CONNECTION, 4, Again(8.0)),
        (SendReason.CREDENTIALS, 20, Again(1800.0)),
    ],
)
def test_what_follows_a_failure(reason, attempts, decision):
    assert decide(SendError(reason), attempts, 0.0, 0.5) == decision


def test_the_provider_may_ask_for_more_time():
    assert decide(SendError(SendReason.THROTTLED, retry_after=600), 1, 0.0, 0.5) == Again(600)


def test_old_news_is_no_news():
    assert decide(SendError(SendReason.CONNECTION), 1, 90_000.0, 0.5) == GiveUp()


def test_chance_spreads_the_tries():
    delays = {decide(SendError(SendReason.BUSY), 1, 0.0, chance).delay for chance in (0.0, 0.5, 0.99)}
    assert len(delays) == 3
