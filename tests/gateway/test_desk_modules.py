"""What of the desk's page needs no page: initials, spans, reach, the store and its order, run in node."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from gateway.web.assets import FOLDER

DESK = FOLDER / "desk"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def run(module: str, names: str, script: str) -> Any:
    """Return what a script gives back that uses some names of a module."""
    assert NODE is not None
    code = (
        f"import {{ {names} }} from {json.dumps((DESK / module).as_uri())};\n"
        f"console.log(JSON.stringify(await (async () => {{ {script} }})() ?? null));"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


INITIALS = {
    "转派": "zp",
    "领取或接受": "lqhjs",
    "结束并看下一个": "jsbkxyg",
    "常用语": "cyy",
    "公积金 A1": "gjja1",
    "督导看板": "ddkb",
    "暂挂": "zg",
    "": "",
}


def test_initials_are_those_of_pinyin():
    found = run("words.js", "initials", f"return {json.dumps(list(INITIALS))}.map(initials)")
    assert dict(zip(INITIALS, found, strict=True)) == INITIALS


def test_something_is_meant_by_its_words_or_its_initials():
    asked = [["转派", "zp"], ["转派", "转"], ["转派", "ZP"], ["转派", "pz"], ["转派", ""]]
    assert run("words.js", "meant", f"return {json.dumps(asked)}.map(([a, b]) => meant(a, b))") == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_an_instant_is_shown_in_beijing_time_with_its_day_when_it_is_another():
    script = """const now = Date.parse('2026-11-26T00:10:00+08:00');
    return ['2026-11-26T00:05:00+08:00', '2026-11-25T15:59:00Z'].map((each) => clock(each, now))"""
    assert run("words.js", "clock", script) == ["00:05", "11-25 23:59"]


REACH = {
    "a short message of one part": ({"sms_parts": True}, "字" * 70, "70字，合1条短信", ""),
    "one character more is two": ({"sms_parts": True}, "字" * 71, "71字，合2条短信", ""),
    "three parts": ({"sms_parts": True}, "字" * 135, "135字，合3条短信", ""),
    "what goes as two messages": ({"max_bytes": 6}, "三个字多", "太长，会分成2条", "warn"),
    "nothing left": ({"left": 0, "max_bytes": 2048}, "好", "还能发0条", "bad"),
    "nothing to say": ({"max_bytes": 2048}, "好", "", ""),
}


@pytest.mark.parametrize("case", list(REACH))
def test_what_the_channel_carries(case):
    reach, text, said, kind = REACH[case]
    assert run("reach.js", "reachText", f"return reachText({json.dumps(reach)}, {json.dumps(text)})") == [
        said,
        kind,
    ]


MADE = """const row = (id, more = {}) => ({ id, version: 1, state: 'queued', agent: null, since: '2026-11-26T09:00:00+08:00',
  waiting_since: '2026-11-26T09:00:00+08:00', urgent: false, elderly: false, ...more });
const store = createStore();
store.me = { id: 'me' };
"""


def test_an_older_row_never_takes_the_place_of_a_newer_one_t21():
    script = (
        MADE
        + """store.take(row('a', { version: 5, name: 'new' }));
    const news = store.take(row('a', { version: 4, name: 'old' }));
    store.list({ items: [row('a', { version: 3, name: 'older' })], counts: {} });
    return [news, store.rows.get('a').name]"""
    )
    assert run("store.js", "createStore", script) == [False, "new"]


def test_a_row_enters_and_leaves_the_view_as_it_changes_t13():
    script = (
        MADE
        + """store.view = 'waiting';
    store.counts = { mine: 0, waiting: 0, all: 0 };
    const seen = [];
    const see = () => seen.push([[...store.ids], { ...store.counts }]);
    store.take(row('a')); see();
    store.take(row('a', { version: 2, state: 'agent', agent: { id: 'me' } })); see();
    return seen"""
    )
    assert run("store.js", "createStore", script) == [
        [["a"], {"mine": 0, "waiting": 1, "all": 1}],
        [[], {"mine": 1, "waiting": 0, "all": 1}],
    ]


def test_a_line_that_comes_while_its_talk_is_on_its_way_stays():
    script = (
        MADE
        + """const line = (id, at) => ({ id, at, parts: [] });
    store.loading('a');
    store.line('a', line('new', '2026-11-26T08:00:02+08:00'));
    store.loaded('a', { lines: [line('old', '2026-11-26T08:00:01+08:00')] });
    store.loading('a');
    store.line('a', line('newer', '2026-11-26T08:00:03+08:00'));
    store.loaded('a', { lines: [line('old', '2026-11-26T08:00:01+08:00'), line('new', '2026-11-26T08:00:02+08:00')] });
    return store.talks.get('a').lines.map((each) => each.id)"""
    )
    assert run("store.js", "createStore", script) == ["old", "new", "newer"]


def test_the_urgent_stand_first_then_the_elderly_then_who_waits_longest():
    script = (
        MADE
        + """store.view = 'waiting';
    const early = { waiting_since: '2026-11-26T08:00:00+08:00' };
    for (const each of [row('late'), row('early', early), row('elder', { elderly: true }), row('urgent', { urgent: true })]) store.take(each);
    return store.ids"""
    )
    assert run("store.js", "createStore", script) == ["urgent", "elder", "early", "late"]


def test_a_line_is_there_once_whether_its_answer_or_its_event_comes_first_t22():
    script = (
        MADE
        + """store.talks.set('a', { lines: [] });
    const at = '2026-11-26T09:00:00+08:00';
    store.line('a', { id: 'e1', echo: 'e1', at, state: 'sending', local: true });
    store.line('a', { id: 'f00d', echo: 'e1', at, state: 'undo' });
    store.line('a', { id: 'f00d', echo: 'e1', at, state: 'sent', local: false });
    return store.talks.get('a').lines"""
    )
    assert run("store.js", "createStore", script) == [
        {"id": "f00d", "echo": "e1", "at": "2026-11-26T09:00:00+08:00", "state": "sent", "local": False}
    ]
