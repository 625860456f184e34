"""What a person wrote himself: quotes and signatures cut, for display and understanding only (spec 5.2).

HTML tells best where a quote starts, for clients mark it; then the text tells, by the lines that clients put before a
quote. The whole is kept elsewhere always: to cut a word too few is better than to cut one too many.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from channels.email.html import Skip, to_text

_QUOTE_IDS = re.compile(
    r"^(x_)*(divrplyfwdmsg|appendonsend|isreplycontent|isforwardcontent|origbody|original-content|"
    r"mail-editor-reference-message-container|ntes-(pcmac|ios|android|iosmail)?.*quote.*|hwmail.*quote.*|reply-?content)$",
)
_QUOTE_CLASSES = frozenset(
    [
        "gmail_quote",
        "gmail_quote_container",
        "gmail_extra",
        "moz-cite-prefix",
        "foxdiv",
        "yahoo_quoted",
        "protonmail_quote",
        "apple-reply-quote",
        "ntes-mailmaster-quote",
        "isreplycontent",
        "huawei_quote",
        "hw_quote",
        "mail_quote_0",
        "quote",
        "gmail_signature",
        "moz-signature",
    ],
)
_QUOTE_ID_WORDS = frozenset({"qqmail", "reply-intro", "quoted", "mailquote", "mail_quote", "gmail_signature"})
_OUTLOOK_LINE = re.compile(
    r"border(-top)?:\s*(none;\s*border-top:\s*)?solid\s+#(b5c4df|e1e1e1)", re.IGNORECASE
)

_COLON = r"\s*[:：]"
_NAMES = (
    r"发\s*件\s*人|寄\s*件\s*者|寄\s*件\s*人|发\s*送\s*(时\s*间|日\s*期)|时\s*间|日\s*期|收\s*件\s*人|收\s*件\s*者|抄\s*送|主\s*题|主\s*旨"
    r"|發\s*件\s*人|from|sent|date|to|cc|subject|reply-to|回复(至|给)"
)
_FIELD = re.compile(rf"^[>\s*]*\**({_NAMES})\**{_COLON}\**", re.IGNORECASE)
_FIRST_FIELD = re.compile(
    rf"^[>\s*]*\**(发\s*件\s*人|發\s*件\s*人|寄\s*件\s*[者人]|from)\**{_COLON}", re.IGNORECASE
)
_TITLE = (
    r"原始邮件|原始郵件|邮件原件|原邮件|回复的原邮件|回复的邮件|转发的?邮件(信息)?|转发邮件信息|转发消息|被转发邮件|引用的?邮件|历史邮件"
    r"|original (message|mail|email|appointment)|forwarded (message|mail)|(begin )?forwarded message|reply message|回复邮件"
)
_SEPARATOR = re.compile(rf"^[>\s]*[-_—=－*─]*\s*({_TITLE})\s*[:：]?\s*[-_—=－*─]*\s*$", re.IGNORECASE)
_RULE = re.compile(r"^\s*([_]{10,}|[-—─－]{5,})\s*$")
_WROTE = re.compile(
    r"^[>\s]*(在|于|於|on\b|le\b|am\b|\d{4}\s*[-年/.]|周|星期|[^\s]{1,40}\s*[<＜(（][^>＞]*@).{0,260}?(写道|写到|寫道|編寫|写信说|wrote|schrieb|a écrit)\s*[:：]?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_WROTE_END = re.compile(r"(写道|写到|寫道|wrote)\s*[:：]\s*$", re.IGNORECASE)
_NAMED_WROTE = re.compile(r"^.{1,80}@.{1,80}(写道|写到|寫道|wrote)\s*[:：]\s*$", re.IGNORECASE)
_QUOTED = re.compile(r"^\s{0,3}[>＞]")
_SENT_FROM = re.compile(
    r"^\s*[-—]*\s*(((本邮件)?(发自|发送自|来自)\s*(我的)?.{0,30}(iphone|ipad|手机|平板|邮箱|邮件|android|安卓|客户端|huawei|mate|mail|foxmail|outlook|小米|oppo|vivo|荣耀).{0,20})"
    r"|发自我的.{1,30}|从我的.{1,20}(发送|手机发出).{0,6}|从 ?windows.{0,20}发送|获取 ?outlook.{0,30}|(sent|send) (from|with|via) .{1,50}|get outlook for .{1,20}"
    r"|使用.{1,20}(手机|邮箱|邮件)发送)\s*[。.]?\s*$",
    re.IGNORECASE,
)


def visible(text: str, html: str) -> str:
    """Return a mail's text without what it quotes; the whole where nothing else is left.

    ``text`` and ``html`` are those of a Letter (``letter.text``, ``letter.source``).
    """
    marked = to_text(html, _skip) if html else ""
    whole = text if text.strip() or not html else to_text(html)
    for candidate in (marked, whole):
        if own := _own(candidate):
            return own
    return whole.strip()


def _skip(tag: str, attributes: Mapping[str, str]) -> Skip:
    identity = attributes.get("id", "").lower()
    # Foxmail numbers its class: FoxDiv20261124.
    classes = {re.sub(r"^foxdiv\d+$", "foxdiv", name) for name in attributes.get("class", "").lower().split()}
    if _QUOTE_IDS.match(identity) or attributes.get("name", "").lower() in ("isreplycontent", "qqmail_reply"):
        return (
            Skip.REST
            if "rply" in identity or "append" in identity or "reference" in identity
            else Skip.ELEMENT
        )
    if tag in ("blockquote", "includetail") or classes & _QUOTE_CLASSES or identity in _QUOTE_ID_WORDS:
        return Skip.ELEMENT
    return Skip.REST if tag == "div" and _OUTLOOK_LINE.search(attributes.get("style", "")) else Skip.NOTHING


def _own(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\u00a0", " ").split("\n")
    kept = _unquoted(lines[: _start(lines)])
    return "\n".join(_unsigned(kept)).strip()


def _start(lines: list[str]) -> int:
    """Return the line where a quote begins that goes on to the end."""
    for number, line in enumerate(lines):
        if _SEPARATOR.match(line) or _header_block(lines, number):
            return _before_rule(lines, number)
        if length := _wrote(lines, number):
            if not _answered_below(lines[number + length :]):
                return _before_rule(lines, number)
            lines[number : number + length] = ["> "] * length
    return len(lines)


def _header_block(lines: list[str], number: int) -> bool:
    """Return whether two more fields stand close below a "From": a citizen who writes 时间： and 主题： of his own is not cut."""
    if not _FIRST_FIELD.match(lines[number]):
        return False
    return sum(bool(_FIELD.match(line)) for line in lines[number + 1 : number + 8]) >= 2


def _wrote(lines: list[str], number: int) -> int:
    """Return how many lines a "... wrote:" takes, for clients wrap it; 0 for none."""
    if not lines[number].strip():
        return 0
    for length in (1, 2, 3):
        block = lines[number : number + length]
        if len(block) < length or not block[-1].strip():
            return 0
        joined = " ".join(block)
        if _WROTE.match(joined) and (
            _WROTE_END.search(joined) or "@" in joined or _QUOTED.match(_next(lines, number + length))
        ):
            return length
        if length == 1 and _NAMED_WROTE.match(joined):
            return 1
    return 0


def _next(lines: list[str], number: int) -> str:
    return next((line for line in lines[number:] if line.strip()), "")


def _answered_below(lines: list[str]) -> bool:
    """Return whether the quote is of ">" lines with words of his own after it (answers below or between)."""
    filled = [line for line in lines if line.strip()]
    return bool(filled) and bool(_QUOTED.match(filled[0])) and any(not _QUOTED.match(line) for line in filled)


def _before_rule(lines: list[str], number: int) -> int:
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.match(lines[above]) else number


def _unquoted(lines: list[str]) -> list[str]:
    return [line for line in lines if not _QUOTED.match(line)]


def _unsigned(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if line.rstrip("\r") in ("-- ", "--") and any(part.strip() for part in lines[:number]):
            lines = lines[:number]
            break
    while lines and (not lines[-1].strip() or _SENT_FROM.match(lines[-1]) or _RULE.match(lines[-1])):
        lines = lines[:-1]
    return lines
