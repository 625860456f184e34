"""What all commands share: where the configuration is, how work is run, and how answers are printed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.settings import Settings

T = TypeVar("T")

Config = Annotated[Path | None, typer.Option("--config", envvar="JIESU_CONFIG", help="配置文件 (TOML)。")]
AsJson = Annotated[bool, typer.Option("--json", help="只输出 JSON。")]

out = Console()
err = Console(stderr=True)


def settings_of(config: Path | None, **given: object) -> Settings:
    """Return the settings of a configuration with what the command line changes; raises Misconfigured."""
    from gateway import runtime
    from gateway.settings import load

    settings = load(config, os.environ)
    changed = {name: value for name, value in given.items() if value is not None}
    settings = load(config, os.environ, **changed) if changed else settings
    runtime.configure_logs(settings.log_level)
    return settings


def loop(work: Coroutine[Any, Any, T]) -> T:
    """Run work to its end and return what it gives."""
    import uvloop

    return uvloop.run(work)


def print_json(value: object) -> None:
    """Print a value for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
