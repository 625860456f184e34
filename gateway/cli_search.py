"""The command line of the desk's search: ``jiesu search rebuild``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gateway.terminal import Config, loop, out, settings_of

if TYPE_CHECKING:
    from gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, help="座席台的查找。")


@app.callback()
def search() -> None:
    """Keep the group a group though it has one command."""


@app.command("rebuild")
def rebuild(config: Config = None) -> None:
    """Make the index anew from what is kept; the gateway may run meanwhile, and finds what is done so far."""
    count = loop(_rebuilt(settings_of(config)))
    out.print(f"查找索引已重建，共 {count} 条。", highlight=False)


async def _rebuilt(settings: Settings) -> int:
    from gateway import retention

    return await retention.rebuild_search(settings)
