"""``jiesu demo``: the gateway and a stand-in of the outside world on one machine, for a newcomer to play with.

The newcomer writes as a citizen on the phone page; a button plays the hotline's and the unit's next step, so that
a case is seen to move and the citizen to be told.
"""

from __future__ import annotations

import base64
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from gateway import app as gateway
from gateway import runtime
from gateway.desk import rights
from gateway.knowledge import shelf
from gateway.profile import DEFAULT
from gateway.sandbox.application import create_sandbox
from gateway.sandbox.home import Staff, World
from gateway.sandbox.ismg.carrier import Carrier, CarrierSettings
from gateway.sandbox.ismg.cmpp_server import cmpp_server
from gateway.sandbox.kf import Kf, KfSettings
from gateway.sandbox.platform import SandboxSettings
from gateway.sandbox.qyapi import PREFIX as QYAPI
from gateway.settings import Settings, load
from gateway.store import cases as case_rows
from gateway.store.bodies import open_event
from normalizer.case import STAGE_LABELS, Actor, Case, Command, Role, Stage, Verb
from normalizer.codes import FIELD_LABELS, KIND_LABELS, Field
from normalizer.errors import JiesuError, Misconfigured

if TYPE_CHECKING:
    from gateway.desk.accounts import Accounts
    from gateway.sandbox.post.office import Post
    from gateway.store.rows import CaseRow
    from gateway.whole import Books, Gateway

SHOWN = 20
HOST = "127.0.0.1"
SMS_ID, SMS_NUMBER = "906888", "1069012345"
MAILBOX = "12345@taian.example"
STAFF = (("座席", "1001", rights.Role.AGENT), ("值班长", "2001", rights.Role.SUPERVISOR))
"""Who may sit at the desk of the demo: title, login, role."""

_AGENT = Actor(Role.AGENT, "demo")
_UNIT = Actor(Role.UNIT, "demo", "demo-unit")
_DISPATCH = Command(Verb.DISPATCH, _AGENT, unit="demo-unit", unit_name="区城市管理局")
NEXT: Mapping[Stage, Command] = {
    Stage.SUBMITTED: Command(Verb.ACCEPT, _AGENT),
    Stage.ACCEPTED: _DISPATCH,
    Stage.DISPATCHED: Command(Verb.SIGN, _UNIT),
    Stage.PROCESSING: Command(Verb.REPLY, _UNIT, text="已派人到现场处理完毕，感谢您的反映。", code="已解决"),
    Stage.REPLIED: Command(Verb.FINISH, _AGENT),
    Stage.CLOSED_PENDING: Command(Verb.VISIT, _AGENT),
    Stage.REWORK: _DISPATCH,
}
"""The next step at each stage, as the newcomer plays it."""

VERB_LABELS: Mapping[Verb, str] = {
    Verb.SUBMIT: "提交", Verb.ACCEPT: "受理", Verb.DISPATCH: "派单", Verb.SIGN: "签收", Verb.REPLY: "答复",
    Verb.FINISH: "办结", Verb.VISIT: "回访", Verb.RATE: "评价", Verb.CLOSE: "结案", Verb.REWORK: "重办",
    Verb.URGE: "催办", Verb.SUPPLEMENT: "补充", Verb.WITHDRAW: "撤回", Verb.SUPERVISE: "督办", Verb.REMIND: "提醒",
}  # fmt: skip
ROLE_LABELS = {
    Role.CITIZEN: "市民", Role.BOT: "智能客服", Role.AGENT: "工作人员", Role.SUPERVISOR: "负责人",
    Role.UNIT: "承办单位", Role.TIMER: "时钟", Role.PARTNER: "外部系统",
}  # fmt: skip


async def run(*, port: int, data: Path | None, gateway_url: str, config: Path | None) -> None:
    """Run until stopped, and print the address where the phone is; raises Misconfigured.

    With ``gateway_url`` the gateway of ``config`` runs elsewhere, and only the outside world is played here.
    """
    stop = gateway.stop_signal()
    async with AsyncExitStack() as stack:
        runtime.configure_logs("warning")
        if gateway_url:
            await _beside(stack, gateway_url, config, port)
        else:
            await _whole(stack, data, port)
        await stop.wait()


async def _whole(stack: AsyncExitStack, data: Path | None, port: int) -> None:
    """Start the gateway and the stand-in together."""
    if data is None:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiesu-demo-")))
    data.mkdir(parents=True, exist_ok=True)
    staff = tuple(Staff(title, login, secrets.token_urlsafe(9)) for title, login, _ in STAFF)
    account = SandboxSettings("wxdemo", secrets.token_hex(16), secrets.token_hex(8), _aes_key())
    views: dict[str, Gateway] = {}
    desk: dict[str, str] = {}

    async def cases() -> list[dict[str, Any]]:
        # The page is there a moment before the gateway, and a moment after it.
        return await _cases(views["gateway"].books) if views else []

    carrier = Carrier(CarrierSettings(SMS_ID, secrets.token_hex(8), SMS_NUMBER))
    ismg = await stack.enter_async_context(cmpp_server(carrier))
    post = await _post(stack)
    kf = Kf(
        KfSettings("wwdemo", secrets.token_hex(16), secrets.token_hex(8), _aes_key(), "wkdemo"), time.time
    )
    world = World(
        cases=cases,
        advance=lambda number: _advance(views["gateway"], number),
        carrier=carrier,
        post=post,
        kf=kf,
        desk=lambda: desk.get("at", ""),
        staff=staff,
    )
    sandbox = create_sandbox(account, world)
    at = await stack.enter_async_context(gateway.listening(sandbox, HOST, port))
    channels = {"wx": _wechat(account, at), "kf": _kf(kf.settings, at), "sms": _sms(carrier, ismg.port)}
    if post is not None:
        channels["mail"] = _mail(post)
    settings = _settings(data, channels)
    running = views["gateway"] = await stack.enter_async_context(gateway.running(settings))
    stack.callback(views.clear)
    await shelf.starter(running.books.store, runtime.now())
    await running.knowledge.refresh()
    await _employ(running.accounts, staff)
    own = await stack.enter_async_context(gateway.listening(running.app, HOST, 0))
    account.callback_url = f"http://{HOST}:{own}/channels/wx"
    kf.settings.callback_url = f"http://{HOST}:{own}/channels/kf"
    desk["at"] = f"http://{HOST}:{own}/desk"
    _announce(at, f"http://{HOST}:{own}", staff)


async def _employ(accounts: Accounts, staff: Sequence[Staff]) -> None:
    """Give everybody who plays at the desk an account, with the password that is shown; an old one's is set anew."""
    for each, (_, _, role) in zip(staff, STAFF, strict=True):
        account = await accounts.by_login(each.login)
        if account is None:
            await accounts.add(each.login, each.title, role)
            account = await accounts.by_login(each.login)
        assert account is not None
        await accounts.change_password(account.id, each.password)


async def _beside(stack: AsyncExitStack, url: str, config: Path | None, port: int) -> None:
    """Start the stand-in for a gateway that runs elsewhere on this machine."""
    settings = load(config, {})
    name, raw = next(
        ((name, raw) for name, raw in settings.channels.items() if raw.get("kind") == "wechat"), ("", {})
    )
    if not name:
        raise Misconfigured("channels", "the demo needs an account of kind wechat in the configuration")
    account = SandboxSettings(
        app_id=str(raw["app_id"]),
        secret=str(raw["secret"]),
        token=str(raw["token"]),
        aes_key=str(raw.get("aes_key", "")),
        mode=str(raw.get("mode", "safe")),
        callback_url=f"{url.rstrip('/')}/channels/{name}",
    )
    books = await stack.enter_async_context(gateway.open_books(settings))
    sandbox = create_sandbox(account, World(cases=lambda: _cases(books)))
    at = await stack.enter_async_context(gateway.listening(sandbox, HOST, port))
    _announce(at, url)


def _announce(port: int, url: str, staff: Sequence[Staff] = ()) -> None:
    console = Console()
    console.print(f"接诉在 {url}", highlight=False)
    console.print(f"手机页面 / the phone: http://{HOST}:{port}/", highlight=False)
    for each in staff:
        console.print(f"座席台 {url}/desk {each.title}：{each.login} / {each.password}", highlight=False)


def _wechat(account: SandboxSettings, port: int) -> dict[str, Any]:
    return {
        "kind": "wechat",
        "app_id": account.app_id,
        "secret": account.secret,
        "token": account.token,
        "aes_key": account.aes_key,
        "mode": account.mode,
        "api_base": f"http://{HOST}:{port}",
        "open_base": f"http://{HOST}:{port}",
    }


def _kf(account: KfSettings, port: int) -> dict[str, Any]:
    return {
        "kind": "wechat_kf",
        "corp_id": account.corp_id,
        "secret": account.secret,
        "token": account.token,
        "aes_key": account.aes_key,
        "open_kfid": account.open_kfid,
        "api_base": f"http://{HOST}:{port}{QYAPI}",
    }


def _sms(carrier: Carrier, port: int) -> dict[str, Any]:
    settings = carrier.settings
    return {
        "kind": "cmpp",
        "host": HOST,
        "port": port,
        "sp_id": settings.sp_id,
        "secret": settings.secret,
        "version": 3,
        "src_id": settings.number,
        "signature": "泰安12345",
    }


async def _post(stack: AsyncExitStack) -> Post | None:
    """Open the post office, where what it needs is installed: it is an extra of the distribution."""
    try:
        from gateway.sandbox.post.office import Post, PostSettings  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return await stack.enter_async_context(Post(PostSettings(hotline=MAILBOX)))


def _mail(post: Post) -> dict[str, Any]:
    settings = post.settings
    return {
        "kind": "email",
        "address": settings.hotline,
        "imap_host": HOST,
        "imap_port": post.imap_port,
        "imap_security": "none",
        "imap_user": settings.hotline,
        "imap_secret": settings.password,
        "smtp_host": HOST,
        "smtp_port": post.smtp_port,
        "smtp_security": "none",
        "smtp_user": settings.hotline,
        "smtp_secret": settings.password,
    }


def _settings(data: Path, channels: Mapping[str, Mapping[str, Any]]) -> Settings:
    database = f"sqlite:///{data}/jiesu.sqlite3"
    return load(None, {}, database=database, profile=_wakeful(data), channels=channels)


def _wakeful(data: Path) -> Path:
    """Write the example city without quiet hours: a newcomer may play at night and must not wait for the morning."""
    path = data / "city.toml"
    text = resources.files("gateway").joinpath("profiles", DEFAULT).read_text("utf-8")
    text = text.replace('"21:00"\nuntil = "08:00"', '"00:00"\nuntil = "00:00"')
    text = text.replace('sms_number = ""', f'sms_number = "{SMS_NUMBER}"')
    path.write_text(text.replace('mailbox = ""', f'mailbox = "{MAILBOX}"'), "utf-8")
    return path


def _aes_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")


async def _advance(running: Gateway, number: str) -> str:
    """Play the next step of a case and say what was done."""
    row = await running.books.store.read(partial(case_rows.get, case_no=number))
    command = NEXT.get(Stage(row.stage)) if row else None
    if command is None:
        return "这件工单没有下一步了。"
    try:
        case = await running.office.act(number, command)
    except JiesuError as error:
        return str(error)
    return f"{number[-7:]}：{VERB_LABELS[command.verb]}，现在是“{STAGE_LABELS[case.stage]}”。"


async def _cases(books: Books) -> list[dict[str, Any]]:
    rows = await books.store.read(partial(case_rows.newest, limit=SHOWN))
    return [await _shown(books, row) for row in rows]


async def _shown(books: Books, row: CaseRow) -> dict[str, Any]:
    case = books.cases.read(row)
    log = await books.store.read(partial(case_rows.events, case_no=row.case_no))
    events = [open_event(books.sealer, event.body) for event in log]
    command = NEXT.get(case.stage)
    return {
        "case_no": case.case_no,
        "stage_label": STAGE_LABELS[case.stage],
        "kind_label": KIND_LABELS[case.matter.kind],
        "title": case.matter.title,
        "field": FIELD_LABELS[Field(case.matter.field)] if case.matter.field else "",
        "unit": case.main.unit_name if case.main else "",
        "deadline_at": _deadline(case),
        "next": VERB_LABELS[command.verb] if command else "",
        "events": [
            {
                "at": f"{event.at.astimezone(gateway.ZONE):%m-%d %H:%M:%S}",
                "label": VERB_LABELS.get(event.verb, event.verb.value),
                "actor": ROLE_LABELS[event.actor.role],
                "note": event.command.reason,
            }
            for event in events
        ],
    }


def _deadline(case: Case) -> str:
    return f"{case.deadline_at.astimezone(gateway.ZONE):%m月%d日 %H:%M}" if case.deadline_at else ""
