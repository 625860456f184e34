"""The process in which hostile files are opened: it has no key, no database, no file, only two pipes.

It asks the gateway for the pieces of the file that it needs, so a video is never copied anywhere. Each job has its
limit of processor time, the whole process its limit of memory; the gateway sees to the wall clock
(``gateway.media.workers``).
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from gateway.media import convert, documents, examine, ocr
from gateway.media.frames import ASK, DATA, DONE, FAIL, HEAD, LARGEST, NAME, RANGE, frame
from normalizer.media import NotAccepted, Refusal

if TYPE_CHECKING:
    from typing_extensions import Buffer

MEMORY = 2 * 1024**3
WRITTEN = 1024**3
FILES = 64
BUFFER = 256 * 1024


class Line:
    """The two pipes."""

    def __init__(self, inward: BinaryIO, outward: BinaryIO) -> None:
        self._in = inward
        self._out = outward

    def say(self, letter: bytes, payload: bytes = b"") -> None:
        """Send one frame."""
        self._out.write(frame(letter, payload))
        self._out.flush()

    def hear(self) -> bytes | None:
        """Return the payload of the next frame, None at the end."""
        head = self._in.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        return self._in.read(HEAD.unpack(head)[1])

    def hand(self, name: str, mime: str, content: BinaryIO) -> None:
        """Hand out a file that was made."""
        self.say(NAME, json.dumps([name, mime]).encode())
        while piece := content.read(LARGEST):
            self.say(DATA, piece)


class Asked(io.RawIOBase):
    """The file of the job, read by asking for it."""

    def __init__(self, line: Line, size: int) -> None:
        self._line = line
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it has positions."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position."""
        begin = (0, self._at, self._size)[whence]
        self._at = max(0, begin + offset)
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer from the position on."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), max(0, self._size - self._at), LARGEST)
        if length == 0:
            return 0
        self._line.say(ASK, RANGE.pack(self._at, length))
        piece = self._line.hear()
        if piece is None:
            raise SystemExit
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def main() -> None:
    """Do one job after the other until the pipe closes."""
    line = Line(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a library prints must not get among the frames
    _confine()
    while (raw := line.hear()) is not None:
        job = json.loads(raw)
        _allow(job["cpu"])
        try:
            facts = _work(line, job)
        except NotAccepted as error:
            line.say(FAIL, error.breach.refusal.encode())
        except (Exception, MemoryError):  # noqa: BLE001 - any breakage of any decoder means the file is broken
            line.say(FAIL, Refusal.BROKEN.encode())
        else:
            line.say(DONE, json.dumps(facts).encode())


def _work(line: Line, job: dict[str, Any]) -> dict[str, Any]:
    file = io.BufferedReader(Asked(line, job["size"]), BUFFER)
    if job["task"] == "examine":
        return examine.examine(file, job["mime"], job["pixels"], job["unpacked"])
    if job["task"] == "read":
        paper = job["mime"] in documents.READ
        return {"words": documents.read(file, job["mime"]) if paper else ocr.read(file)}
    return convert.convert(file, job["mime"], job["task"], line.hand)


def _confine() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _allow(seconds: int) -> None:
    """Let the process use so many seconds of processor more; then it is killed."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
