"""What a citizen is told of a file: which rule it broke, and what would be accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.contract import Loss
from normalizer.media import Refusal
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from normalizer.media import Breach

KINDS: Mapping[str, Mapping[PartKind, str]] = {
    "zh": {PartKind.IMAGE: "照片", PartKind.VIDEO: "视频", PartKind.VOICE: "录音", PartKind.FILE: "文件"},
    "en": {
        PartKind.IMAGE: "photo",
        PartKind.VIDEO: "video",
        PartKind.VOICE: "recording",
        PartKind.FILE: "document",
    },
}
REFUSALS: Mapping[str, Mapping[Refusal, str]] = {
    "zh": {
        Refusal.TYPE: "不能接收这种类型的文件。可以上传照片（JPG、PNG、HEIC 等）、视频（MP4、MOV 等）、"
        "录音（MP3、AMR 等）和文档（PDF、Word、Excel、WPS、OFD、TXT、ZIP）。",
        Refusal.EMPTY: "这个文件是空的。请重新选择文件再上传。",
        Refusal.SIZE: "{kind}太大了，每个不能超过 {allowed}。请压缩或剪短后再上传。",
        Refusal.PIXELS: "照片的像素太多，不能超过 {allowed}。请缩小后再上传。",
        Refusal.SECONDS: "{kind}太长了，不能超过 {allowed}。请剪短或分几段上传。",
        Refusal.COUNT: "文件太多了，最多上传 {allowed} 个。请删掉不需要的再上传。",
        Refusal.TOTAL: "文件合计太大了，加起来不能超过 {allowed}。请删掉不需要的再上传。",
        Refusal.BOMB: "这个文件展开后太大或层数太多，不能接收。请把里面的文件直接上传。",
        Refusal.ARCHIVE: "这个压缩包里有链接或越界的路径，不能接收。请把里面的文件直接上传。",
        Refusal.BROKEN: "这个文件打不开，可能已损坏或没有传完整。请换一个能正常打开的{kind}再上传。",
        Refusal.VIRUS: "在这个文件里查到了病毒，不能接收。请换一个文件。",
        Refusal.GRANT: "上传的许可已经过期或不正确。请回到原来的页面，刷新后再上传。",
    },
    "en": {
        Refusal.TYPE: "This type of file is not accepted. You can send photos (JPG, PNG, HEIC…), videos (MP4, MOV…), "
        "recordings (MP3, AMR…) and documents (PDF, Word, Excel, WPS, OFD, TXT, ZIP).",
        Refusal.EMPTY: "This file is empty. Please choose the file again.",
        Refusal.SIZE: "The {kind} is too large: each may have up to {allowed}. Please compress or shorten it.",
        Refusal.PIXELS: "The photo has too many pixels: up to {allowed} are accepted. Please make it smaller.",
        Refusal.SECONDS: "The {kind} is too long: up to {allowed} are accepted. Please shorten or split it.",
        Refusal.COUNT: "Too many files: up to {allowed} are accepted. Please remove some.",
        Refusal.TOTAL: "The files are too large together: up to {allowed} are accepted. Please remove some.",
        Refusal.BOMB: "This file would unpack to too much or too deep. Please send what is in it directly.",
        Refusal.ARCHIVE: "This archive holds links or paths that lead outside. Please send what is in it directly.",
        Refusal.BROKEN: "This file cannot be opened; it may be damaged or incomplete. Please send another {kind}.",
        Refusal.VIRUS: "A virus was found in this file. Please send another file.",
        Refusal.GRANT: "The leave to upload has ended or is wrong. Please go back to the page, reload it and try again.",
    },
}
NOTICES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "busy": "现在较忙，文件没有存好。请过一会儿再试，已传的部分不会丢。",
        "gone": "这个文件不存在，或者链接已经过期。请回到原来的页面重新打开。",
        "received": "已收到",
        "title": "上传结果",
        "nothing": "没有选择文件。请选择文件后再上传。",
    },
    "en": {
        "busy": "The service is busy and the file was not kept. Please try again later; what was sent is not lost.",
        "gone": "There is no such file, or the link has ended. Please go back to the page and open it again.",
        "received": "Received",
        "title": "Upload",
        "nothing": "No file was chosen. Please choose one and try again.",
    },
}
_UNITS: Mapping[str, Mapping[Refusal, tuple[int, str]]] = {
    "zh": {
        Refusal.SIZE: (1024 * 1024, " MB"),
        Refusal.TOTAL: (1024 * 1024, " MB"),
        Refusal.PIXELS: (10_000, " 万像素"),
        Refusal.SECONDS: (60, " 分钟"),
    },
    "en": {
        Refusal.SIZE: (1024 * 1024, " MB"),
        Refusal.TOTAL: (1024 * 1024, " MB"),
        Refusal.PIXELS: (1_000_000, " megapixels"),
        Refusal.SECONDS: (60, " minutes"),
    },
}


def refusal(breach: Breach, language: str = "zh") -> str:
    """Return what a citizen is told of a rule that his file broke."""
    language = language if language in REFUSALS else "zh"
    step, unit = _UNITS[language].get(breach.refusal, (1, ""))
    allowed = f"{breach.allowed / step:g}{unit}"
    return REFUSALS[language][breach.refusal].format(kind=KINDS[language][breach.kind], allowed=allowed)


def notice(key: str, language: str = "zh") -> str:
    """Return another sentence about files."""
    return NOTICES.get(language, NOTICES["zh"])[key]


LOST: Mapping[Loss | None, str] = {
    Loss.EXPIRED: "您发来的{kind}没有收到，原来的已经过期。请再发一次；已办理的诉求不受影响。",
    Loss.TOO_LARGE: "您发来的{kind}太大，没有收下。请剪短或压缩后再发一次。",
    Loss.GONE: "您发来的{kind}没有收到。请再发一次；已办理的诉求不受影响。",
    None: "您发来的{kind}一直没有下载成功。请再发一次；已办理的诉求不受影响。",
}
"""What is said of a file that cannot be had any more; None: it was tried for too long."""


def lost_words(kind: PartKind, loss: Loss | None) -> str:
    """Return what a citizen is told of a file that did not arrive."""
    return LOST[loss].format(kind=KINDS["zh"][kind])


def refused_words(kind: PartKind, breach: Breach) -> str:
    """Return what a citizen is told of a file of a talk that was not accepted."""
    return f"您发来的{KINDS['zh'][kind]}没有收下。{refusal(breach)}"


COMING = "还在接收，请稍后再看"
MISSING: Mapping[str, str] = {
    "": COMING,
    Loss.EXPIRED: "没有收到，原来的已过期，请再发一次",
    Loss.TOO_LARGE: "太大，没有收下，请剪短或压缩后再发一次",
    Refusal.SIZE: "太大，没有收下，请剪短或压缩后再发一次",
    Refusal.SECONDS: "太长，没有收下，请剪短后再发一次",
    Refusal.TYPE: "没有收下，不能接收这种类型的文件",
    Refusal.VIRUS: "没有收下，在里面查到了病毒",
}
"""What a case's page says of a file that is not here, by the reason; any other has this:"""
NOT_HERE = "没有收到，请再发一次"


def missing_words(reason: str) -> str:
    """Return what a case's page says of a file that is not here; no reason means that it is still coming."""
    return MISSING.get(reason, NOT_HERE)
