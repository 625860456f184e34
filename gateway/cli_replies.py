"""The command line of the desk's replies: ``jiesu replies list | import | export``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gateway.terminal import AsJson, Config, loop, out, print_json, settings_of
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.desk.replies import Canned, Replies
    from gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, help="座席的常用语。")


@app.command("list")
def list_replies(
    config: Config = None,
    as_json: AsJson = False,
    query: Annotated[str, typer.Option(help="标题、内容里的词，或标题的拼音首字母。")] = "",
) -> None:
    """List the replies at hand, those of the starter set included."""
    found = loop(_found(settings_of(config), query))
    rows = [{"id": each.id, "title": each.title, "text": each.text, "acts": [*each.acts]} for each in found]
    if as_json:
        print_json(rows)
        return
    table = Table("id", "title", "text", "acts")
    for each in found:
        table.add_row(each.id, each.title, each.text, " ".join(each.acts))
    out.print(table)


@app.command("import")
def import_replies(
    file: Annotated[Path, typer.Argument(help="TOML 文件，格式见 docs/desk-work.md。")], config: Config = None
) -> None:
    """Take replies from a file: all of them, or none and what is wrong named."""
    count = loop(_brought(settings_of(config), _read(file)))
    out.print(f"已导入 {count} 条常用语。", highlight=False)


@app.command("export")
def export_replies(
    file: Annotated[Path, typer.Argument(help="要写的 TOML 文件。")], config: Config = None
) -> None:
    """Write all replies to a file that can be imported again."""
    from gateway.desk.replies import write

    found = loop(_found(settings_of(config), ""))
    file.write_text(write(found), "utf-8")
    out.print(f"已导出 {len(found)} 条常用语。", highlight=False)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {file.name}: {error}") from error


@asynccontextmanager
async def _replies(settings: Settings) -> AsyncIterator[Replies]:
    from gateway.app import open_books
    from gateway.desk.replies import Replies
    from gateway.runtime import now

    async with open_books(settings) as books:
        yield Replies(books.store, now)


async def _found(settings: Settings, query: str) -> tuple[Canned, ...]:
    async with _replies(settings) as replies:
        return await replies.find(query, limit=1000) if query else await replies.all()


async def _brought(settings: Settings, text: str) -> int:
    async with _replies(settings) as replies:
        return await replies.read(text)
