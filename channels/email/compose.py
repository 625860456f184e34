"""Our own mails: text and HTML that say the same, in the citizen's thread, known by a signed Message-ID (spec 5)."""

from __future__ import annotations

import html
import json
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from channels.email import tokens
from channels.email.automatic import LOOP_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from channels.email.settings import Settings
    from normalizer.message import OutboundMessage

SUBJECTS = {
    "reply": "您的来信已收到",
    "accepted": "您的诉求已受理",
    "dispatched": "您的诉求已转办",
    "need_info": "请补充您的诉求",
    "replied": "您的诉求已有答复",
    "answered": "您的诉求已有答复",
    "rate": "请评价您的诉求",
    "overdue": "您的诉求已超期，我们在督办",
}
"""Subjects of mails that begin a thread; the others get the plain one."""
# Python folds a long Message-ID into encoded words, which no other program takes for one; RFC 5322 allows 998.
POLICY = SMTP.clone(max_line_length=998)
PLAIN_SUBJECT = "您的诉求有新进展"
_RE = re.compile(r"^\s*(?:(?:re|回复|答复|回覆|fw|fwd|转发)\s*[:：]\s*)+", re.IGNORECASE)
_TAG = re.compile(r"\s*\[12345-\d{17}\]\s*")
_PAGE = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"></head>'
    '<body style="font-size:18px;line-height:1.6;color:#1b1f24;max-width:40em">{body}'
    '<hr><p style="color:#57606a;font-size:15px">{sender}　直接回复本邮件即可补充或追问。紧急情况请拨打110、119、120。</p>'
    "</body></html>"
)


def compose(
    message: OutboundMessage,
    settings: Settings,
    sign: Callable[[str], bytes],
    at: datetime,
    attached: bytes | None = None,
) -> EmailMessage:
    """Return the mail of a message, with the content of the file it brings; composed again it has the same Message-ID."""
    thread = _thread(message.thread)
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Address(settings.display_name, addr_spec=settings.address)
    mail["To"] = Address(addr_spec=message.address.user)
    mail["Subject"] = _subject(message, str(thread.get("subject", "")))
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = tokens.message_id(message.id, message.case_no, sign, settings.own_domain)
    if answered := str(thread.get("id", "")):
        mail["In-Reply-To"] = answered
        mail["References"] = " ".join([*thread.get("references", ()), answered])
    if settings.plus_addressing and message.case_no:
        mail["Reply-To"] = tokens.plus_address(settings.address, message.case_no, sign)
    # RFC 3834: what answers a mail is a reply, what we begin ourselves is generated.
    mail["Auto-Submitted"] = "auto-replied" if message.notice == "reply" else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[LOOP_HEADER] = settings.own_domain
    mail.set_content(message.text)
    mail.add_alternative(_html(message.text, settings.display_name), subtype="html")
    if message.part is not None and attached is not None:
        maintype, _, subtype = message.part.mime.partition("/")
        mail.add_attachment(attached, maintype=maintype, subtype=subtype, filename=message.part.name)
    return mail


def _thread(kept: str) -> dict[str, Any]:
    try:
        found = json.loads(kept) if kept else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _subject(message: OutboundMessage, earlier: str) -> str:
    earlier = _TAG.sub(" ", _RE.sub("", earlier)).strip()
    words = f"回复：{earlier}" if earlier else SUBJECTS.get(message.notice, PLAIN_SUBJECT)
    words = " ".join(words.split())[:120]
    return f"{words} {tokens.subject_tag(message.case_no)}" if message.case_no else words


def _html(text: str, sender: str) -> str:
    paragraphs = (html.escape(part).replace("\n", "<br>") for part in re.split(r"\n{2,}", text.strip()))
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return _PAGE.format(body=body, sender=html.escape(sender))
