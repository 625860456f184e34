"""The commands for the staff's accounts: ``jiesu agent add|list|password|skills|unlock|unlink|remove|restore``."""

from __future__ import annotations

import getpass
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from gateway import actors
from gateway.desk.rights import Role
from gateway.terminal import AsJson, Config, loop, out, print_json, settings_of
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.desk.accounts import Account, Accounts

app = typer.Typer(no_args_is_help=True, help="工作人员的账号。")

Login = Annotated[str, typer.Argument(help="登录名（工号），如 zuo01。")]
Skills = Annotated[str, typer.Option("--skills", help="技能，空格分开，如 “公积金 医保 en”。")]
Capacity = Annotated[int, typer.Option("--capacity", help="同时接待几个会话。")]


@app.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Argument(help="姓名。")],
    *,
    role: Annotated[Role, typer.Option("--role", help="角色。")] = Role.AGENT,
    skills: Skills = "",
    groups: Annotated[str, typer.Option("--groups", help="班组，空格分开。")] = "",
    capacity: Capacity = 3,
    config: Config = None,
) -> None:
    """Make an account and print its one-time password, once."""

    async def work() -> str:
        async with _accounts(config) as accounts:
            return await accounts.add(
                login, name, role, skills=skills, groups=groups, capacity=capacity, by=_me()
            )

    _shown(loop(work()))


@app.command("list")
def listing(config: Config = None, as_json: AsJson = False) -> None:
    """List the accounts; passwords and secrets of the second factor are never shown."""

    async def work() -> list[Account]:
        async with _accounts(config) as accounts:
            return await accounts.every()

    rows = [_row(account) for account in loop(work())]
    if as_json:
        print_json(rows)
        return
    table = Table(*("login", "name", "role", "skills", "capacity", "totp", "state"))
    for row in rows:
        state = "停用" if row["disabled"] else "待改密码" if row["one_time"] else "可用"
        skilled, totp = " ".join(row["skills"]), "✔" if row["totp"] else ""
        table.add_row(row["login"], row["name"], row["role"], skilled, str(row["capacity"]), totp, state)
    out.print(table)


@app.command("password")
def password(login: Login, config: Config = None) -> None:
    """Print a new one-time password; the second factor, the lock and every session end."""

    async def work() -> str:
        async with _accounts(config) as accounts:
            return await accounts.reset(login, by=_me())

    _shown(loop(work()))


@app.command("skills")
def skills(
    login: Login,
    words: Annotated[list[str] | None, typer.Argument(help="全部技能（替换原有的）。")] = None,
    capacity: Annotated[int | None, typer.Option("--capacity", help="同时接待几个会话。")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="去掉全部技能。")] = False,
    config: Config = None,
) -> None:
    """Set what somebody can do, or how many conversations at once."""
    if not words and not clear and capacity is None:
        raise InvalidInput("请写技能、--clear 或 --capacity")
    wanted = " ".join(words or ()) if words or clear else None

    async def work() -> None:
        async with _accounts(config) as accounts:
            await accounts.equip(login, skills=wanted, capacity=capacity, by=_me())

    loop(work())
    out.print(f"{login} 已更新；从下一个会话起生效。", highlight=False)


@app.command("unlock")
def unlock(login: Login, config: Config = None) -> None:
    """Let somebody who was locked out after five wrong passwords try again."""

    async def work() -> None:
        async with _accounts(config) as accounts:
            await accounts.unlock(login, by=_me())

    loop(work())
    out.print(f"{login} 已解锁。", highlight=False)


@app.command("unlink")
def unlink(login: Login, config: Config = None) -> None:
    """Bind an account to nobody at the provider of single sign-on; whoever logs in there next under its name has it."""

    async def work() -> None:
        async with _accounts(config) as accounts:
            await accounts.unlink(login, by=_me())

    loop(work())
    out.print(f"{login} 已解除统一认证的绑定；下次登录时重新绑定。", highlight=False)


@app.command("remove")
def remove(login: Login, config: Config = None) -> None:
    """Disable an account: its sessions end, its conversations go back to the queue; what it did stays on record."""

    async def work() -> None:
        async with _accounts(config) as accounts:
            await accounts.disable(login, by=_me())

    loop(work())
    out.print(f"{login} 已停用；手上的会话会回到队列。", highlight=False)


@app.command("restore")
def restore(login: Login, config: Config = None) -> None:
    """Let a disabled account back in."""

    async def work() -> None:
        async with _accounts(config) as accounts:
            await accounts.disable(login, disabled=False, by=_me())

    loop(work())
    out.print(f"{login} 已恢复。", highlight=False)


@asynccontextmanager
async def _accounts(config: Path | None) -> AsyncIterator[Accounts]:
    """Open the accounts; gateways that run look at the queue again when it ends, where Redis joins them."""
    from gateway import app as gateway
    from gateway import bus as buses
    from gateway.desk.accounts import Accounts
    from gateway.runtime import Ids, now

    settings = settings_of(config)
    async with gateway.open_books(settings) as books:
        yield Accounts(store=books.store, sealer=books.sealer, ids=Ids(), now=now)
    if settings.redis is not None:
        bus = await buses.open_bus(settings.redis)
        for topic in (gateway.DESK, gateway.ROUTER):
            bus.wake(topic)
        await bus.close()


def _me() -> str:
    return actors.shell(getpass.getuser())


def _row(account: Account) -> dict[str, Any]:
    return {
        "login": account.login,
        "name": account.name,
        "role": account.role.value,
        "skills": sorted(account.skills),
        "groups": sorted(account.groups),
        "capacity": account.capacity,
        "totp": account.has_totp,
        "sso": account.linked,
        "one_time": account.one_time,
        "disabled": account.disabled,
    }


def _shown(secret: str) -> None:
    """Print a password on standard output alone, so that it can be handed to a program, and say the rest beside it."""
    sys.stdout.write(secret + "\n")
    sys.stderr.write("一次性密码，只显示这一次；首次登录须改。\n")
