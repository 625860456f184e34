"""What CMPP and SMGP do alike to keep a session: their frames have one head and differ in the numbers of commands."""

from __future__ import annotations

from channels.sms.octets import ANSWER, HEADER, answer, command, frame, sequence

LONGEST = 8192
"""Bytes of one frame; a request to a hundred receivers is below 4 KB."""


class Exchange:
    """The half of ``session.Dialect`` that follows from the commands that test and end a session.

    ``_alive`` is the body of the answer to a test.
    """

    header = HEADER
    longest = LONGEST
    _test: int
    _goodbye: int
    _alive: bytes

    def key(self, frame: bytes) -> tuple[int, int]:
        """Return command and sequence, the same for a request and its answer."""
        return command(frame) & ~ANSWER, sequence(frame)

    def answers(self, frame: bytes) -> bool:
        """Return whether the command has the highest bit set."""
        return command(frame) >= ANSWER

    def test(self, sequence: int) -> bytes:
        """Return the request that proves the link alive."""
        return frame(self._test, sequence)

    def goodbye(self, sequence: int) -> bytes:
        """Return the request that ends the session."""
        return frame(self._goodbye, sequence)

    def routine(self, frame: bytes) -> bytes | None:
        """Return the answer to the peer's test or goodbye, None for other requests."""
        asked = command(frame)
        if asked == self._test:
            return answer(frame, self._alive)
        return answer(frame) if asked == self._goodbye else None

    def ends(self, frame: bytes) -> bool:
        """Return whether this is the peer's goodbye."""
        return command(frame) == self._goodbye
