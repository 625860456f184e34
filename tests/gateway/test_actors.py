"""Who did it, in one form: on record from now on, and shown so of rows that earlier versions wrote."""

import getpass
import json
import sqlite3

import pytest

from gateway import actors
from tests.kit.commands import run


@pytest.mark.parametrize(
    ("actor", "act", "shown"),
    [
        pytest.param("agent:li", "desk.login", "agent:li", id="at the desk"),
        pytest.param("li", "desk case", "agent:li", id="at the desk, of old"),
        pytest.param("li", "login", "agent:li", id="a login, of old"),
        pytest.param("shell:root", "agent add", "shell:root", id="a command"),
        pytest.param("root", "agent add", "shell:root", id="a command, of old"),
        pytest.param("root", "case show", "shell:root", id="a full view by a command, of old"),
        pytest.param("agent:?", "desk.refused", "agent:?", id="nobody of ours"),
        pytest.param("system", "agent unlink", "system", id="the gateway itself"),
    ],
)
def test_who_did_it_is_shown_in_one_form(actor, act, shown):
    assert actors.shown(actor, act) == shown


def test_old_rows_are_shown_alike_and_stay_as_they_are(tmp_path):
    database, config = tmp_path / "jiesu.sqlite3", tmp_path / "jiesu.toml"
    config.write_text(f'database = "sqlite:///{database}"\n')
    assert run("agent", "add", "li", "李", "--config", str(config)).returncode == 0
    assert run("case", "list", "--full", "--config", str(config)).returncode == 0
    old = [("li", "desk case", "37092611240001233"), ("root", "inbox show", "x"), ("li", "login", "right")]
    with sqlite3.connect(database) as connection:
        for at, row in enumerate(old):
            connection.execute("INSERT INTO access VALUES (?, ?, ?, ?, ?)", (bytes([at]) * 16, at, *row))
    done = run("audit", "acts", "--json", "--config", str(config))
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    me = f"shell:{getpass.getuser()}"
    assert sorted((row["actor"], row["act"]) for row in rows) == sorted(
        [
            (me, "agent add"),
            (me, "case list"),
            ("agent:li", "desk case"),
            ("shell:root", "inbox show"),
            ("agent:li", "login"),
        ]
    )
    with sqlite3.connect(database) as connection:
        kept = connection.execute(
            "SELECT actor, act, subject FROM access WHERE at < 3 ORDER BY at"
        ).fetchall()
    assert kept == old
