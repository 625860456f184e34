"""``jiesu wechat``: the menu, codes to scan, and what is wrong with an account, by real processes."""

import json

import pytest
from aiohttp import ClientSession, web

from channels.wechat.kf.channel import build
from gateway.app import listening
from gateway.runtime import now
from tests.kit.commands import run_beside
from tests.kit.gateway import embedded
from tests.kit.kf import kf_settings, platform
from tests.kit.process import configure
from tests.kit.standin import phone
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN, tools


class Shell:
    def __init__(self, config, citizen, folder):
        self.config, self.menu, self.citizen, self.folder = config, citizen.menu, citizen, folder

    async def run(self, *arguments):
        done = await run_beside("wechat", *arguments, "--config", str(self.config))
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
async def shell(tmp_path, clock):
    clock.now = now()
    async with phone(embedded(tmp_path, "a"), tmp_path, clock) as citizen:
        base = citizen.gateway.channels["wx"].api.base
        config = configure(tmp_path, embedded(tmp_path, "b"), base)
        config.write_text(f'public_url = "{citizen.address}"\n' + config.read_text())
        yield Shell(config, citizen, tmp_path)


async def test_the_bots_own_menu_is_shown_after_it_was_pushed(shell):
    assert json.loads((await shell.run("menu", "show"))[1]) == {}
    assert (await shell.run("menu", "push"))[0] == 0
    first, progress, person = shell.menu.shown["button"]
    assert [each["type"] for each in first["sub_button"]] == [
        "click",
        "pic_photo_or_album",
        "location_select",
    ]
    assert (progress["key"], person["key"]) == ("PROGRESS", "HUMAN")
    assert json.loads((await shell.run("menu", "show"))[1]) == shell.menu.shown


WRONG = [
    pytest.param('[[button]]\nname = "a"\ntype = "click"\nkey = "A"\n' * 4, "3", id="four buttons"),
    pytest.param(
        '[[button]]\nname = "反映问题吧"\ntype = "click"\nkey = "A"\n', "4 Chinese", id="a long name"
    ),
    pytest.param('[[button]]\nname = "查"\ntype = "click"\n', "key", id="no key"),
    pytest.param('[[button]]\nname = "查"\n', "either", id="neither"),
    pytest.param(
        '[[button]]\nname = "查"\n' + '[[button.sub]]\nname = "b"\ntype = "click"\nkey = "B"\n' * 6,
        "5",
        id="six below",
    ),
    pytest.param("[[button\n", "menu.toml", id="no TOML"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
async def test_a_menu_beyond_the_limits_is_refused_with_the_limit(shell, text, said):
    path = shell.folder / "menu.toml"
    path.write_text(text)
    code, _, err = await shell.run("menu", "push", "--file", str(path))
    assert code != 0
    assert said in err.replace("\n", ""), "however wide the terminal is"
    assert shell.menu.shown is None


async def test_a_code_to_scan_is_written_with_its_scene_and_its_time(shell):
    path = shell.folder / "estate.png"
    assert (await shell.run("qr", "--scene", "xq-0012", "--days", "7", "--out", str(path)))[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert (await shell.run("qr", "--scene", "xq-0012", "--forever", "--out", str(path)))[0] == 0
    assert [*shell.menu.codes.values()] == [("xq-0012", 7 * 24 * 3600), ("xq-0012", None)]
    code, _, err = await shell.run("qr", "--scene", "x" * 65, "--out", str(path))
    assert (code, "64" in err) == (1, True)


async def test_a_well_set_account_is_found_well(shell):
    code, out, _ = await shell.run("check", "--json")
    assert code == 0
    assert [each["ok"] for each in json.loads(out)] == [True, True]


async def test_what_is_wrong_is_named_with_its_cure(shell):
    shell.config.write_text(shell.config.read_text().replace('token = "token"', 'token = "other"'))
    with shell.config.open("a") as file:
        file.write('[channels.wx.templates]\nprogress = "T1"\nclosed = "T2"\n')
    shell.menu.templates["T1"] = "单号{{case_no.DATA}}"
    code, out, _ = await shell.run("check", "--json")
    told = [(each["ok"], each["what"]) for each in json.loads(out)]
    assert code == 1
    assert [ok for ok, _ in told] == [True, False, False, False]
    assert "HTTP 401" in told[1][1]
    assert "没有字段 text" in told[2][1]
    assert "T2 不存在" in told[3][1]


def account(name, kind):
    return (
        f'[channels.{name}]\nkind = "{kind}"\napp_id = "{APP_ID}"\nsecret = "secret"\ntoken = "{TOKEN}"\n'
        f'aes_key = "{AES_KEY}"\n'
    )


AGREED = """
[channels.{name}.subscribe]
accepted = {{ id = "S1", fields = {{ character_string1 = "{{case_no}}", thing2 = "{{text}}" }} }}
dispatched = {{ id = "S2", once = false, fields = {{ thing1 = "{{unit}}" }} }}
extended = {{ id = "S3", fields = {{ thing1 = "{{reason}}" }} }}
replied = {{ id = "S4", fields = {{ thing1 = "{{text}}" }} }}
"""


@pytest.mark.parametrize("name", ["wx", "mini"])
async def test_templates_that_citizens_agree_to_are_there_and_fit(shell, name):
    base = shell.citizen.gateway.channels["wx"].api.base
    with shell.config.open("a") as file:
        if name == "mini":
            file.write(account("mini", "miniprogram") + f'api_base = "{base}"\n')
        file.write(AGREED.format(name=name))
    shell.menu.subscriptions |= {
        "S1": ("单号:{{character_string1.DATA}}\n说明:{{thing2.DATA}}", 2),
        "S2": ("单位:{{thing1.DATA}}", 2),
        "S4": ("说明:{{thing7.DATA}}", 2),
    }
    code, out, _ = await shell.run("check", "--account", name, "--json")
    fits, kind, missing, field = json.loads(out)[2:]
    assert (code, fits["ok"]) == (1, True)
    assert ("一次性订阅" in kind["what"], "once 改成 true" in kind["cure"]) == (True, True)
    assert "S3 不存在" in missing["what"]
    assert "没有字段 thing1" in field["what"]


async def test_the_address_of_customer_service_is_called_with_a_sealed_echo(shell, clock):
    async with platform(lambda: clock().timestamp()) as (_, port):
        settings = kf_settings(port)
        with shell.config.open("a") as file:
            file.write("[channels.kf]\n" + "".join(f'{name} = "{each}"\n' for name, each in settings.items()))
        async with ClientSession() as http:
            channel = build("kf", settings, tools(http, now=clock))
            served = web.Application()
            for route in channel.routes():
                served.router.add_route(route.method, "/channels/kf", route.handler)
            async with listening(served, "127.0.0.1", 0) as own:
                here = f'public_url = "http://127.0.0.1:{own}"\n'
                words = shell.config.read_text().split("\n", 1)[1]
                shell.config.write_text(here + words)
                code, out, err = await shell.run("check", "--account", "kf", "--json")
                assert (code, [each["ok"] for each in json.loads(out)]) == (0, [True, True]), err
                shell.config.write_text(here + words.replace('corp_id = "', 'corp_id = "x'))
                assert (await shell.run("check", "--account", "kf"))[0] == 1
                shell.config.write_text(here + words.replace(f'token = "{TOKEN}"', 'token = "other"'))
                code, out, _ = await shell.run("check", "--account", "kf", "--json")
                assert (code, "HTTP 401" in json.loads(out)[1]["what"]) == (1, True)


async def test_a_mini_program_has_no_menu_and_says_so(shell):
    with shell.config.open("a") as file:
        file.write(account("mini", "miniprogram"))
    code, _, err = await shell.run("menu", "push", "--account", "mini")
    assert (code, "kind wechat" in err.replace("\n", " ")) == (2, True)


async def test_an_address_that_is_not_let_in_is_named(shell):
    shell.citizen.platform.allowed_ips = frozenset({"203.0.113.9"})
    code, out, _ = await shell.run("check", "--json")
    (told,) = json.loads(out)
    assert (code, "127.0.0.1" in told["what"], "白名单" in told["cure"]) == (1, True, True)
