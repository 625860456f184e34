"""The command line: ``jiesu serve | work | demo | migrate | doctor | case | inbox | outbox | agent | replies | …``.

Lists and shows print for people, or with ``--json`` one array or object and nothing else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from gateway import cli_desk, cli_replies, cli_search, cli_wechat
from gateway.terminal import AsJson, Config, err, loop, out, print_json, settings_of
from normalizer.errors import JiesuError, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(no_args_is_help=True, help="接诉: 12345 热线的文字渠道。", pretty_exceptions_enable=False)
case_app = typer.Typer(no_args_is_help=True, help="工单。")
inbox_app = typer.Typer(no_args_is_help=True, help="收到的消息。")
outbox_app = typer.Typer(no_args_is_help=True, help="要发出的消息。")
requests_app = typer.Typer(no_args_is_help=True, help="市民对自己信息的要求（更正、删除）。")
knowledge_app = typer.Typer(no_args_is_help=True, help="知识库。")
audit_app = typer.Typer(no_args_is_help=True, help="核验。")
retention_app = typer.Typer(no_args_is_help=True, help="到期删除。")
for name, group in (
    ("case", case_app),
    ("inbox", inbox_app),
    ("outbox", outbox_app),
    ("requests", requests_app),
    ("knowledge", knowledge_app),
    ("audit", audit_app),
    ("retention", retention_app),
    ("replies", cli_replies.app),
    ("search", cli_search.app),
    ("wechat", cli_wechat.app),
    ("agent", cli_desk.app),
):
    app.add_typer(group, name=name)

Limit = Annotated[int, typer.Option("--limit", min=1, help="最多几条。")]
Full = Annotated[bool, typer.Option("--full", help="显示完整的个人信息；此操作会留下记录。")]


def main() -> None:
    """Run the command; what is wrong is said in one line, and the exit code is not 0."""
    try:
        app()
    except Misconfigured as error:
        err.print(f"设置有误 · setting {error.setting}: {error.cure}", markup=False, highlight=False)
        sys.exit(2)
    except JiesuError as error:
        err.print(str(error), markup=False, highlight=False)
        sys.exit(1)


@app.command()
def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="监听地址。")] = None,
    port: Annotated[int | None, typer.Option(help="端口，0 为任意空闲端口。")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="进程数（多于一个需要 PostgreSQL）。")] = None,
) -> None:
    """Receive messages, answer them, and send what is owed."""
    from gateway import app as gateway
    from gateway import workers as processes

    settings = settings_of(config, host=host, port=port, workers=workers)
    shared = settings.workers > 1
    if shared and processes.WORKER not in os.environ:
        sys.exit(processes.supervise(settings, config))
    loop(gateway.serve(settings, _announce, shared=shared))


@app.command()
def work(config: Config = None) -> None:
    """Send what is owed and keep the clocks, without receiving messages."""
    from gateway import app as gateway

    loop(gateway.work(settings_of(config)))


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the tables up to date."""
    from gateway import app as gateway

    settings = settings_of(config).model_copy(update={"migrate": "auto"})
    version = loop(gateway.migrated(settings))
    out.print(f"数据库已是最新版本：{version}", highlight=False)


@app.command()
def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Check settings, database, Redis, disk, clock, channels and calendar, and say what to do."""
    from gateway import doctor as doctors

    findings = loop(doctors.examine(settings_of(config)))
    if as_json:
        print_json([{"ok": f.ok, "what": f.what, "cure": f.cure} for f in findings])
    else:
        for finding in findings:
            out.print(("✔ " if finding.ok else "✘ ") + finding.what, markup=False, highlight=False)
            if finding.cure:
                out.print(f"   → {finding.cure}", markup=False, highlight=False)
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="手机页面的端口，0 为任意空闲端口。")] = 8344,
    data: Annotated[Path | None, typer.Option(help="数据目录；不给则用临时目录，结束即删。")] = None,
    gateway_url: Annotated[str, typer.Option(help="已在运行的接诉；不给则一起启动。")] = "",
    config: Config = None,
) -> None:
    """Play citizen on one machine: the gateway, a stand-in of WeChat, and a phone in the browser."""
    from gateway import demo as demos

    loop(demos.run(port=port, data=data, gateway_url=gateway_url, config=config))


@case_app.command("list")
def case_list(
    config: Config = None,
    as_json: AsJson = False,
    limit: Limit = 50,
    stage: Annotated[str, typer.Option(help="只看某一状态。")] = "",
    full: Full = False,
) -> None:
    """List cases, newest first."""
    from gateway import views

    rows = loop(views.cases(settings_of(config), limit=limit, stage=stage, full=full))
    _show(rows, ("case_no", "stage", "kind", "title", "unit", "created_at", "deadline_at"), as_json=as_json)


@case_app.command("find")
def case_find(
    words: str, config: Config = None, as_json: AsJson = False, limit: Limit = 50, full: Full = False
) -> None:
    """Find cases by words, also those in photographed letters."""
    from gateway import views

    rows = loop(views.found(settings_of(config), words, limit=limit, full=full))
    _show(rows, ("case_no", "stage", "kind", "title", "unit", "created_at", "deadline_at"), as_json=as_json)


@case_app.command("show")
def case_show(number: str, config: Config = None, as_json: AsJson = False, full: Full = False) -> None:
    """Show one case with its log."""
    from gateway import views

    _show_one(loop(views.case(settings_of(config), number, full=full)), as_json=as_json)


@inbox_app.command("list")
def inbox_list(
    config: Config = None,
    as_json: AsJson = False,
    limit: Limit = 50,
    state: Annotated[str, typer.Option(help="done、waiting 或 failed。")] = "",
    full: Full = False,
) -> None:
    """List received messages, newest first."""
    from gateway import views

    rows = loop(views.inbox(settings_of(config), limit=limit, state=state, full=full))
    _show(rows, ("id", "account", "sender", "received_at", "text", "state", "case_no"), as_json=as_json)


@inbox_app.command("show")
def inbox_show(message: str, config: Config = None, as_json: AsJson = False, full: Full = False) -> None:
    """Show one received message."""
    from gateway import views

    _show_one(loop(views.message(settings_of(config), message, full=full)), as_json=as_json)


@inbox_app.command("replay")
def inbox_replay(message: str, config: Config = None) -> None:
    """Let a failed message take its turn again."""
    from gateway import views

    loop(views.replay(settings_of(config), message))
    out.print("已放回队列，运行中的接诉会在几秒内重新处理。")


@outbox_app.command("list")
def outbox_list(
    config: Config = None,
    as_json: AsJson = False,
    limit: Limit = 50,
    state: Annotated[
        str,
        typer.Option(
            help="queued、passive、sending、sent、delivered、undelivered、unknown、dead、buried、stale、moved 或 told。"
        ),
    ] = "",
    full: Full = False,
) -> None:
    """List outgoing messages, newest first."""
    from gateway import views

    rows = loop(views.outbox(settings_of(config), limit=limit, state=state, full=full))
    _show(rows, ("id", "account", "notice", "text", "state", "attempts", "outcome"), as_json=as_json)


@outbox_app.command("revive")
def outbox_revive(message: str, config: Config = None) -> None:
    """Send a dead, unknown or buried message after all."""
    from gateway import views

    loop(views.revive(settings_of(config), message))
    out.print("已放回发送队列。")


@outbox_app.command("bury")
def outbox_bury(message: str, config: Config = None) -> None:
    """Give a message up for good; it stays on record."""
    from gateway import views

    loop(views.bury(settings_of(config), message))
    out.print("已放弃发送，记录保留。")


@outbox_app.command("calls")
def outbox_calls(
    config: Config = None, as_json: AsJson = False, limit: Limit = 200, full: Full = False
) -> None:
    """List whom to call: no message reached them, or they wish to be called."""
    from gateway import views

    rows = loop(views.calls(settings_of(config), limit=limit, full=full))
    _show(rows, ("case_no", "name", "phone", "since", "reason"), as_json=as_json)


@outbox_app.command("called")
def outbox_called(number: str, config: Config = None) -> None:
    """Note that the citizen of a case was told by telephone."""
    from gateway import views

    loop(views.called(settings_of(config), number))
    out.print("已记下：电话已打。")


@knowledge_app.command("import")
def knowledge_import(
    file: Annotated[Path, typer.Argument(help="CSV 或 JSON 文件，格式见 docs/knowledge.md。")],
    config: Config = None,
) -> None:
    """Take entries from a file: all of them, or none and every bad row named."""
    from gateway import library

    brought = loop(library.bring_in(settings_of(config), file))
    out.print(
        f"已导入：新增 {brought.new} 条，更新 {brought.changed} 条，未变 {brought.same} 条。", highlight=False
    )


@knowledge_app.command("export")
def knowledge_export(
    file: Annotated[Path, typer.Argument(help="要写的 CSV 或 JSON 文件。")], config: Config = None
) -> None:
    """Write all entries to a file that can be imported again."""
    from gateway import library

    count = loop(library.take_out(settings_of(config), file))
    out.print(f"已导出 {count} 条。", highlight=False)


@knowledge_app.command("list")
def knowledge_list(
    config: Config = None,
    as_json: AsJson = False,
    limit: Limit = 200,
    status: Annotated[
        str, typer.Option(help="draft、review_unit、review_centre、published、recheck 或 offline。")
    ] = "",
) -> None:
    """List entries with what citizens thought of them."""
    from gateway import library

    rows = loop(library.listing(settings_of(config), status, limit))
    _show(rows, ("id", "title", "category", "status", "valid_until", "helpful", "unhelpful"), as_json=as_json)


@knowledge_app.command("gaps")
def knowledge_gaps(config: Config = None, as_json: AsJson = False, limit: Limit = 50) -> None:
    """List the questions that found no answer, the most frequent first."""
    from gateway import library

    rows = loop(library.gaps(settings_of(config), limit))
    _show(rows, ("asked", "question", "first_at", "last_at"), as_json=as_json)


@requests_app.command("list")
def requests_list(
    config: Config = None,
    as_json: AsJson = False,
    limit: Limit = 50,
    state: Annotated[str, typer.Option(help="open、done 或 refused。")] = "open",
    full: Full = False,
) -> None:
    """List what people want done with their data, newest first."""
    from gateway import views

    rows = loop(views.wishes(settings_of(config), limit=limit, state=state, full=full))
    _show(rows, ("id", "at", "kind", "state", "phone", "cases", "text"), as_json=as_json)


@requests_app.command("settle")
def requests_settle(
    wish: str, state: Annotated[str, typer.Argument(help="done 或 refused。")], config: Config = None
) -> None:
    """Note that a wish was carried out, or why it is over: it was refused."""
    from gateway import views

    loop(views.settle(settings_of(config), wish, state))
    out.print("已记下，市民在“我的信息”里能看到。")


@audit_app.command("acts")
def audit_acts(config: Config = None, as_json: AsJson = False, limit: Limit = 50) -> None:
    """List what the staff did that is on record (logins, full views, changes of accounts), newest first."""
    from gateway import views

    _show(
        loop(views.acts(settings_of(config), limit=limit)), ("at", "actor", "act", "subject"), as_json=as_json
    )


@audit_app.command("verify")
def audit_verify(config: Config = None, as_json: AsJson = False) -> None:
    """Follow every case's chain of events and say where it was changed."""
    from gateway import views

    verdict = loop(views.verify(settings_of(config)))
    if as_json:
        print_json(verdict)
    else:
        for breach in verdict["breaches"]:
            out.print(f"✘ {breach['case_no']} #{breach['seq']}: {breach['what']}", highlight=False)
        out.print(
            f"工单 {verdict['cases']} 件（其中到期匿名化 {verdict['anonymised']} 件），"
            f"记录 {verdict['events']} 条，不符 {len(verdict['breaches'])} 处。"
        )
    if verdict["breaches"]:
        sys.exit(1)


@retention_app.command("run")
def retention_run(
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说要处理多少，不处理。")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget what is over and make old records anonymous, as the profile says; the gateway does so daily itself."""
    from gateway import retention

    settings = settings_of(config)
    with err.status("正在查看…") as status:
        work = (
            retention.due(settings)
            if dry_run
            else retention.forget(settings, lambda table: status.update(f"正在查看 {table}…"))
        )
        count = loop(work)
    if as_json:
        print_json(count)
        return
    verb = "到期" if dry_run else "已处理"
    small = sum(count[each] for each in ("wanted", "names", "mentions", "wishes"))
    out.print(
        f"{verb}：市民来信 {count['inbox']} 条，回复与通知 {count['outgoing']} 条，会话 {count['talks']} 个；"
        f"结案已久的工单归档 {count['archived']} 件，其文件 {count['files']} 个，无人附到工单的文件 {count['unattached']} 个，"
        f"工单匿名化 {count['cases']} 件；查找索引里的内容 {count['found']} 条；"
        f"只留作统计、不再指向个人的 {count['traces'] + count['alerts']} 处；"
        f"查看个人信息的记录 {count['accesses']} 条，未答上的提问 {count['gaps']} 条；其他 {small} 条。"
    )


@cli_wechat.app.command("client")
def wechat_client(folder: Annotated[Path, typer.Argument(help="要写到的目录，须还不存在。")]) -> None:
    """Write a copy of the mini-program's source, for WeChat's developer tools (docs/miniprogram.md)."""
    import shutil
    from importlib import resources

    if folder.exists():
        raise typer.BadParameter(f"{folder} 已经存在，请换一个目录。")
    with resources.as_file(resources.files("channels") / "wechat/miniprogram/client") as source:
        shutil.copytree(source, folder)
    out.print(
        f"已写到 {folder}：在 config.js 里填写网址和账号，在 project.config.json 里填写 appid。",
        markup=False,
        highlight=False,
    )


def _announce(address: str) -> None:
    out.print(f"接诉已启动：{address}", highlight=False)


def _show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[column] if row[column] is not None else "") for column in columns))
    out.print(table)


def _show_one(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    for key, value in row.items():
        if isinstance(value, list):
            out.print(f"{key}:", highlight=False)
            for line in value:
                out.print(f"  {line}", markup=False, highlight=False)
        else:
            out.print(f"{key}: {value}", markup=False, highlight=False)
