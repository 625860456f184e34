"""Which mails a machine sent: they are kept with their case, never answered, and never reopen it (spec 5, RFC 3834)."""

from __future__ import annotations

import re
from collections.abc import Callable

from channels.email.letter import Letter

LOOP_HEADER = "X-Loop"
"""Every mail of ours carries it, with our domain as its value."""

_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_ROBOTS = re.compile(
    r"^(mailer[-_]?daemon|postmaster|no[-_.]?reply|do[-_.]?not[-_.]?reply|bounces?|noreply[-_.].*|.*[-_.]noreply)([+=-].*)?$",
)
_SUBJECT = re.compile(
    r"^\s*[\[【(（]?\s*("
    r"自动(回复|答复|應答|应答)|自動(回覆|答覆)|系统退信|系統退信|退信通知|退信[:：]|已读回执|已读[:：]"
    r"|automatic reply|auto(matic)?[- ]?(reply|response)|autoreply|out of (the )?office|vacation"
    r"|undeliver(ed|able)|delivery (status notification|failure|has failed)|mail delivery (failed|failure|subsystem)"
    r"|returned mail|failure notice|read[:：]"
    r")",
    re.IGNORECASE,
)


def automatic(letter: Letter) -> str:
    """Return why a mail is taken for a machine's, or an empty text when a person seems to have written it."""
    return next((reason for reason, holds in TESTS if holds(letter)), "")


def own(letter: Letter, domain: str) -> bool:
    """Return whether a mail is one of ours come back: our loop header, or a Message-ID of our domain."""
    domain = domain.lower()
    loops = (value.strip().lower() for value in letter.headers.get(LOOP_HEADER.lower(), ()))
    return domain in loops or letter.message_id.lower().rstrip("> ").endswith(f"@{domain}")


def _submitted(letter: Letter) -> bool:
    value = letter.header("auto-submitted").split(";")[0].split("(")[0].strip().lower()
    return value not in ("", "no")


def _suppressed(letter: Letter) -> bool:
    return letter.header("x-auto-response-suppress").strip().lower() not in ("", "none")


def _truthy(name: str) -> Callable[[Letter], bool]:
    return lambda letter: letter.header(name).strip().lower() not in ("", "no", "false", "0")


def _present(*names: str) -> Callable[[Letter], bool]:
    return lambda letter: any(name in letter.headers for name in names)


def _robot(letter: Letter) -> bool:
    return bool(_ROBOTS.match(letter.sender.address.partition("@")[0]))


TESTS: tuple[tuple[str, Callable[[Letter], bool]], ...] = (
    ("return-path", lambda letter: letter.header("return-path").strip() == "<>"),
    ("auto-submitted", _submitted),
    ("qq-auto-reply", _truthy("x-qq-auto-reply")),
    ("auto-response-suppress", _suppressed),
    ("precedence", lambda letter: letter.header("precedence").strip().lower() in _PRECEDENCE),
    ("list", _present("list-id", "list-post", "list-unsubscribe")),
    ("report", lambda letter: letter.content_type == "multipart/report"),
    ("autoreply", _present("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply")),
    ("robot", _robot),
    ("subject", lambda letter: bool(_SUBJECT.match(letter.subject))),
)
"""In this order: the first that holds names the reason."""
