"""Which way a message goes, when, and after what: the rules without a database."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from channels.contract import OTHER_ROUTE, RETRYABLE, Capabilities, SendError, SendReason
from normalizer.message import SourceChannel
from outbox import route
from outbox.notices import AGENT, DESK, NoticeKind
from outbox.retry import Again, GiveUp, OtherWay, Unknown, decide
from outbox.route import Drop, HoldUntil, NoRoute, Quiet, SendBy, Standing

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
QUIET = Quiet(time(21), time(8))
WECHAT = Capabilities(SourceChannel.WECHAT, 2048, passive=True, windowed=True, templates={"replied": "T1"})
SMS = Capabilities(SourceChannel.SMS, 140)
OPEN = Standing(NOON + timedelta(hours=1), 5, opted_out=False)
SHUT = Standing(NOON - timedelta(hours=1), 5, opted_out=False)
SPENT = Standing(NOON + timedelta(hours=1), 0, opted_out=False)
BOUNDLESS = Standing(NOON + timedelta(hours=1), None, opted_out=False)


@pytest.mark.parametrize(
    ("notice", "standing", "able", "way"),
    [
        pytest.param("reply", OPEN, WECHAT, SendBy("custom"), id="within the window"),
        pytest.param("reply", BOUNDLESS, WECHAT, SendBy("custom"), id="a window without a count"),
        pytest.param("replied", SHUT, WECHAT, SendBy("template", "T1", "window over"), id="past the window"),
        pytest.param(
            "replied", SPENT, WECHAT, SendBy("template", "T1", "count used up"), id="the count used up"
        ),
        pytest.param("replied", SHUT, SMS, SendBy("custom"), id="a channel without windows"),
    ],
)
def test_the_way_of_a_message(notice: str, standing: Standing, able: Capabilities, way: SendBy) -> None:
    assert route.choose(notice, standing, able, QUIET, NOON) == way


@pytest.mark.parametrize(
    ("notice", "standing", "able"),
    [
        pytest.param("reply", SHUT, WECHAT, id="a reply has no template"),
        pytest.param("rate", SPENT, WECHAT, id="a notice without a template of the account"),
        pytest.param("replied", Standing(OPEN.window_until, 5, False, frozenset({"custom", "template"})), WECHAT, id="all refused"),
        pytest.param("replied", Standing(OPEN.window_until, 5, False, frozenset({"custom"})), SMS, id="the only one refused"),
    ],
)  # fmt: skip
def test_without_a_way_a_person_is_told_what_to_do(
    notice: str, standing: Standing, able: Capabilities
) -> None:
    way = route.choose(notice, standing, able, QUIET, NOON)
    assert isinstance(way, NoRoute)
    assert "phone" in way.reason


def test_the_window_is_shut_at_the_instant_it_ends() -> None:
    ends_now = Standing(NOON, 5, opted_out=False)
    assert route.choose("replied", ends_now, WECHAT, QUIET, NOON) == SendBy("template", "T1", "window over")


@pytest.mark.parametrize(
    ("at", "until"),
    [
        pytest.param("2026-11-24T20:59:59+08:00", None, id="a second before nine in the evening"),
        pytest.param("2026-11-24T21:00:00+08:00", "2026-11-25T08:00:00+08:00", id="nine in the evening"),
        pytest.param("2026-11-24T23:59:59+08:00", "2026-11-25T08:00:00+08:00", id="before midnight"),
        pytest.param("2026-11-25T00:00:00+08:00", "2026-11-25T08:00:00+08:00", id="midnight"),
        pytest.param("2026-12-31T22:00:00+08:00", "2027-01-01T08:00:00+08:00", id="over the new year"),
        pytest.param("2026-11-25T07:59:59+08:00", "2026-11-25T08:00:00+08:00", id="a second before eight"),
        pytest.param("2026-11-25T08:00:00+08:00", None, id="eight in the morning"),
    ],
)
def test_a_notice_that_can_wait_waits_for_the_morning_here(at: str, until: str | None) -> None:
    now = datetime.fromisoformat(at).astimezone(UTC)
    standing = Standing(now + timedelta(hours=1), 5, opted_out=False)
    expected = HoldUntil(datetime.fromisoformat(until)) if until else SendBy("custom")
    assert route.choose("need_info", standing, WECHAT, QUIET, now) == expected


def test_quiet_hours_within_one_day_end_that_day() -> None:
    rest = Quiet(time(12), time(14))
    assert route.choose("rate", OPEN, SMS, rest, NOON) == HoldUntil(datetime(2026, 11, 24, 6, tzinfo=UTC))


@pytest.mark.parametrize("notice", ["reply", "accepted", "replied", "answered", "rejected", "diverted"])
def test_what_cannot_wait_is_sent_at_night(notice: str) -> None:
    night = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    standing = Standing(night + timedelta(hours=1), 5, opted_out=False)
    assert route.choose(notice, standing, WECHAT, QUIET, night) == SendBy("custom")


REMINDERS = {
    "dispatched",
    "extended",
    "extension_refused",
    "rate",
    "merged",
    "suspended",
    "overdue",
    "rework",
    "followed",
    "follow_ended",
}


@pytest.mark.parametrize("notice", ["reply", AGENT, DESK, *NoticeKind])
def test_whoever_wants_no_reminders_still_gets_answers(notice: str) -> None:
    standing = Standing(OPEN.window_until, 5, opted_out=True)
    expected = Drop("opted out") if notice in REMINDERS else SendBy("custom")
    assert route.choose(notice, standing, WECHAT, QUIET, NOON) == expected


def test_a_row_remembers_every_route_that_refused() -> None:
    kept = route.without(route.without("", "template"), "custom")
    assert route.refused(kept) == {"custom", "template"}


@pytest.mark.parametrize("kept", ["", "passive", "custom"])
def test_a_route_that_was_only_taken_has_not_refused(kept: str) -> None:
    assert route.refused(kept) == frozenset()


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_minutes_quota_is_waited_out_for_a_minute_at_least(chance: float) -> None:
    decision = decide(SendError(SendReason.THROTTLED), 1, 0.0, chance)
    assert isinstance(decision, Again)
    assert decision.delay >= 60


def test_a_wrong_secret_is_waited_out_for_hours() -> None:
    waited, tries = 0.0, 0
    while isinstance(decision := decide(SendError(SendReason.CREDENTIALS), tries + 1, waited, 0.5), Again):
        waited, tries = waited + decision.delay, tries + 1
    assert waited > 12 * 3600
    assert decision == GiveUp()


@pytest.mark.parametrize("reason", SendReason)
def test_every_reason_has_its_consequence(reason: SendReason) -> None:
    decision = decide(SendError(reason), 1, 0.0, 0.5)
    if reason in RETRYABLE:
        assert isinstance(decision, Again)
    elif reason in OTHER_ROUTE:
        assert decision == OtherWay()
    else:
        assert decision == (Unknown() if reason is SendReason.TIMEOUT else GiveUp())
