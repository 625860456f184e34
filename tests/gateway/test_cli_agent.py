"""``jiesu agent``: the staff's accounts, by real processes; who changed what is on record."""

import json
import sqlite3

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from tests.kit.commands import run


class Shell:
    def __init__(self, folder):
        self.database = folder / "jiesu.sqlite3"
        self.config = folder / "jiesu.toml"
        self.config.write_text(f'database = "sqlite:///{self.database}"\n')

    def agent(self, *arguments):
        return run("agent", *arguments, "--config", str(self.config))

    def listed(self):
        return {row["login"]: row for row in json.loads(self.agent("list", "--json").stdout)}

    def log(self):
        with sqlite3.connect(self.database) as connection:
            return connection.execute("SELECT act, subject FROM access ORDER BY at, id").fetchall()


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def test_an_account_is_made_with_a_password_that_is_printed_once(shell):
    made = shell.agent("add", "zuo01", "王敏", "--skills", "医保 en", "--capacity", "4")
    assert made.returncode == 0
    password = made.stdout.strip()
    assert len(password) >= 12
    assert shell.listed()["zuo01"] == {
        "login": "zuo01",
        "name": "王敏",
        "role": "agent",
        "skills": ["en", "医保"],
        "groups": [],
        "capacity": 4,
        "totp": False,
        "sso": False,
        "one_time": True,
        "disabled": False,
    }
    assert password not in shell.agent("list").stdout
    assert shell.log() == [("agent add", "zuo01 agent 医保 en")]


def test_a_password_costs_what_the_norm_asks_for(shell):
    shell.agent("add", "zuo01", "王敏")
    with sqlite3.connect(shell.database) as connection:
        [[hashed]] = connection.execute("SELECT password FROM agent")
    assert extract_parameters(hashed) == RFC_9106_LOW_MEMORY


def test_what_is_changed_is_seen_and_on_record(shell):
    first = shell.agent("add", "zuo01", "王敏", "--role", "supervisor").stdout
    assert shell.agent("skills", "zuo01", "公积金", "法律", "--capacity", "2").returncode == 0
    row = shell.listed()["zuo01"]
    assert (row["skills"], row["capacity"], row["role"]) == (["公积金", "法律"], 2, "supervisor")
    assert shell.agent("skills", "zuo01", "--clear").returncode == 0
    assert shell.listed()["zuo01"]["skills"] == []
    assert shell.agent("unlock", "zuo01").returncode == 0
    assert shell.agent("password", "zuo01").stdout != first
    assert shell.agent("remove", "zuo01").returncode == 0
    assert shell.listed()["zuo01"]["disabled"]
    assert shell.agent("restore", "zuo01").returncode == 0
    assert shell.log()[1:] == [
        ("agent skills", "zuo01 skills=公积金 法律 capacity=2"),
        ("agent skills", "zuo01 skills="),
        ("agent unlock", "zuo01"),
        ("agent password", "zuo01"),
        ("agent remove", "zuo01"),
        ("agent restore", "zuo01"),
    ]


WRONG = [
    pytest.param(("add", "座席", "李"), "login", id="a login in Chinese"),
    pytest.param(("add", "li", "李", "--capacity", "99"), "capacity", id="too many at once"),
    pytest.param(("add", "li", "李", "--skills", "a;b"), "words", id="a skill that is no word"),
    pytest.param(("add", "wang", "王"), "there is an account", id="a login twice"),
    pytest.param(("skills", "wang"), "--capacity", id="nothing to change"),
    pytest.param(("remove", "nobody"), "no account", id="nobody"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_is_wrong_is_said_and_nothing_changes(shell, arguments, said):
    shell.agent("add", "wang", "王")
    done = shell.agent(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert list(shell.listed()) == ["wang"]
    assert len(shell.log()) == 1


def test_an_account_is_bound_to_nobody_at_the_single_sign_on_any_more(shell):
    shell.agent("add", "zuo01", "王敏")
    with sqlite3.connect(shell.database) as connection:
        connection.execute("UPDATE agent SET subject = x'01'")
    assert shell.listed()["zuo01"]["sso"] is True
    assert shell.agent("unlink", "zuo01").returncode == 0
    assert shell.listed()["zuo01"]["sso"] is False
    assert shell.log()[-1] == ("agent unlink", "zuo01")
    assert shell.agent("unlink", "nobody").returncode != 0
