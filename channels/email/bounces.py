"""Mails that say a mail of ours did not arrive: RFC 3464 reports, and the free-form ones of QQ and NetEase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from channels.email.letter import Letter


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail that did not arrive.

    ``original`` is our Message-ID with its brackets, or empty where the report does not give it; ``status`` the
    enhanced code (RFC 3463) or empty; ``permanent`` means: do not write to ``recipient`` again. ``reason`` is what
    the server said, for agents.
    """

    original: str
    recipient: str
    status: str
    permanent: bool
    reason: str = ""


_FREE_SUBJECT = re.compile(
    r"系统退信|系統退信|退信|邮件投递失败|无法投递|投递失败|undeliver(ed|able)|returned mail|delivery (failure|status)|failure notice",
    re.IGNORECASE,
)
_ROBOT = re.compile(r"^(postmaster|mailer-?daemon|noreply|no-reply|mailadmin|系统退信)", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_SMTP = re.compile(r"(?<![\d.])([45])\d\d(?=[ \-:：,，])")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_MESSAGE_ID = re.compile(r"message-?id\s*[:：]?\s*(<[^<>\s]+@[^<>\s]+>)", re.IGNORECASE)
_RECIPIENT = re.compile(
    r"(?:收件人|收信人|投递到|发往|发送到|发送至|目标地址|recipient|to)[^@\n]{0,40}?([\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
    re.IGNORECASE | re.ASCII,
)
_GONE = re.compile(
    r"不存在|无此用户|没有找到|账号.{0,6}(停用|冻结|注销)|已被?(停用|禁用|注销|冻结)|域名.{0,8}(错误|不存在|无法解析)"
    r"|user (unknown|not found|doesn't exist)|no such user|mailbox (not found|unavailable)|invalid (recipient|mailbox)",
    re.IGNORECASE,
)
_LONGEST_REASON = 300


def bounce(letter: Letter) -> Bounce | None:
    """Return what a mail says of one of ours that did not arrive, or None when it is no such report.

    A report that the mail is late or has arrived is none; receipts of reading are none.
    """
    for block in letter.reports:
        if block.get("action", "").lower() == "failed":
            return _reported(letter, block)
    if any("action" in block for block in letter.reports):
        return None
    return _free(letter) if _is_free(letter) else None


def _reported(letter: Letter, block: Mapping[str, str]) -> Bounce:
    said = block.get("diagnostic-code", "")
    status = _first(_STATUS, block.get("status", "")) or _first(_STATUS, said)
    # A server that gives up after days says 4.x.x with "failed": the next mail may well arrive.
    recipient = _after_type(block.get("final-recipient") or block.get("original-recipient", ""))
    original = _original(letter)
    return Bounce(original, recipient, status, status.startswith("5"), said[:_LONGEST_REASON])


def _is_free(letter: Letter) -> bool:
    if not _FREE_SUBJECT.search(letter.subject):
        return False
    null_path = letter.header("return-path").strip() == "<>"
    robot = _ROBOT.match(letter.sender.address) or _ROBOT.match(letter.sender.name)
    return bool(null_path or robot or letter.header("x-failed-recipients"))


def _free(letter: Letter) -> Bounce:
    text = letter.text
    status = _first(_STATUS, text)
    smtp = _first(_SMTP, text)
    permanent = status.startswith("5") if status else smtp == "5" or (not smtp and bool(_GONE.search(text)))
    recipient = letter.header("x-failed-recipients").split(",")[0].strip().lower() or _recipient(letter, text)
    return Bounce(_original(letter), recipient, status, permanent, _reason(text))


def _recipient(letter: Letter, text: str) -> str:
    ours = {box.address for box in letter.to} | {letter.sender.address}
    named = [*_RECIPIENT.findall(text), *_ADDRESS.findall(text)]
    return next((address.lower() for address in named if address.lower() not in ours), "")


def _reason(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if _STATUS.search(line) or _GONE.search(line)), "")[:_LONGEST_REASON]


def _original(letter: Letter) -> str:
    return next(_originals(letter), "")


def _originals(letter: Letter) -> Iterator[str]:
    """Our Message-ID: of the mail that came back, in the text, or of the thread."""
    yield from (inner.message_id for inner in letter.nested if inner.message_id)
    yield from _MESSAGE_ID.findall(letter.text)
    yield from filter(None, (letter.in_reply_to, *letter.references[-1:]))


def _after_type(value: str) -> str:
    return value.rpartition(";")[2].strip().strip("<>").lower()


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group(1) if match else ""
