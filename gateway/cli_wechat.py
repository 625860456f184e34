"""The commands that set an account of WeChat up: ``jiesu wechat menu push|show``, ``wechat check``, ``wechat qr``."""

from __future__ import annotations

import sys
import tomllib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from channels.contract import console, looks
from gateway.terminal import AsJson, Config, loop, out, print_json, settings_of
from normalizer.errors import InvalidInput, Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from channels.contract import Channel, Console, Finding
    from gateway.settings import Settings

DAY = 24 * 3600

app = typer.Typer(no_args_is_help=True, help="微信：菜单、二维码、核对、小程序。")
menu_app = typer.Typer(no_args_is_help=True, help="自定义菜单。")
app.add_typer(menu_app, name="menu")

Account = Annotated[str, typer.Option("--account", help="配置里 [channels.名称] 的名称。")]


@menu_app.command("show")
def menu_show(account: Account = "wx", config: Config = None) -> None:
    """Show the menu that citizens see, as JSON."""

    async def ask() -> Mapping[str, Any]:
        async with _console(settings_of(config), account) as place:
            return await place.menu()

    print_json(loop(ask()))


@menu_app.command("push")
def menu_push(
    account: Account = "wx",
    file: Annotated[Path | None, typer.Option("--file", help="菜单 (TOML)；不给则用默认菜单。")] = None,
    config: Config = None,
) -> None:
    """Show a menu to citizens: at most three buttons of at most five each."""
    raw = _read(file) if file is not None else None

    async def push() -> None:
        async with _console(settings_of(config), account) as place:
            await place.push_menu(raw)

    loop(push())
    out.print("菜单已发布；市民的手机最多 5 分钟后看到。")


@app.command()
def check(account: Account = "wx", config: Config = None, as_json: AsJson = False) -> None:
    """Check token, IP allow-list, callback and templates of one account, and say what to do."""

    async def ask() -> Sequence[Finding]:
        settings = settings_of(config)
        async with _channel(settings, account) as channel:
            place = looks(channel)
            if place is None:
                raise Misconfigured(f"channels.{account}", "this command needs an account of WeChat")
            found = list(await place.check())
            # Without a token nothing else can be asked, and the same is not said twice.
            if all(each.ok for each in found):
                found += await place.look(settings.public_url)
            return found

    findings = loop(ask())
    if as_json:
        print_json([{"ok": each.ok, "what": each.what, "cure": each.cure} for each in findings])
    else:
        for each in findings:
            out.print(("✔ " if each.ok else "✘ ") + each.what, markup=False, highlight=False)
            if each.cure:
                out.print(f"   → {each.cure}", markup=False, highlight=False)
    if not all(each.ok for each in findings):
        sys.exit(1)


@app.command()
def qr(  # noqa: PLR0917 - Typer takes each option as a parameter
    scene: Annotated[str, typer.Option("--scene", help="场景，1 到 64 个字符，例如小区或窗口的编号。")],
    account: Account = "wx",
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="几天后失效。")] = 30,
    forever: Annotated[bool, typer.Option("--forever", help="永久有效（每个帐号最多 10 万个）。")] = False,
    file: Annotated[Path, typer.Option("--out", help="图片写到哪里。")] = Path("qr.png"),
    config: Config = None,
) -> None:
    """Make a code that citizens scan at a place, and that opens the talk with its scene."""

    async def ask() -> bytes:
        async with _console(settings_of(config), account) as place:
            return await place.code(scene, None if forever else days * DAY)

    file.write_bytes(loop(ask()))
    out.print(f"二维码已写到 {file}", markup=False, highlight=False)


@asynccontextmanager
async def _console(settings: Settings, account: str) -> AsyncIterator[Console]:
    async with _channel(settings, account) as channel:
        place = console(channel)
        if place is None:
            raise Misconfigured(f"channels.{account}", "this command needs an account of kind wechat")
        yield place


@asynccontextmanager
async def _channel(settings: Settings, account: str) -> AsyncIterator[Channel | None]:
    from gateway import doctor

    async with doctor.channels_of(settings) as channels:
        yield channels.get(account)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file}: {error}") from error
