"""A real browser, and the demo that it opens: one process for all tests of a module."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# How long a page may take to show what is expected of it, in ms: as long as for a click.
PATIENCE = 30_000


@dataclass(frozen=True, slots=True)
class Demo:
    """Where a demo is: the gateway, and the newcomer's phone with what it tells of itself."""

    gateway: str
    phone: str

    def state(self) -> Any:
        with urllib.request.urlopen(f"{self.phone}_sim/state") as answer:
            return json.load(answer)

    def advance(self, case_no: str) -> str:
        """Play the office's next step of a case."""
        body = json.dumps({"case_no": case_no}).encode()
        request = urllib.request.Request(
            f"{self.phone}_sim/advance", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return str(json.load(answer)["said"])


@contextmanager
def demo(*arguments: str) -> Iterator[Demo]:
    """Run ``jiesu demo`` inside the block; it must end by itself, in order, when it is told to."""
    command = [sys.executable, "-m", "gateway", "demo", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        yield Demo(lines[0].rpartition(" ")[2].strip(), lines[1].split("phone: ")[1].strip())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run headless Chromium inside the block; without it the test is skipped, or fails where it may not be."""
    path = shutil.which("chromium")
    if path is None:
        message = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("JIESU_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
