"""What the platform takes of an account beside words, and how a message stands in the chat (wechat.md 2.5, 2.7).

Written from the platform's pages on temporary media and customer-service messages, apart from the product's adapter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MEGABYTE = 1024 * 1024
_MARKS = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG", "image/png"),
    (0, b"GIF8", "image/gif"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (4, b"ftyp", "video/mp4"),
)
Choices = tuple[tuple[str, str], ...]
Shown = tuple[str, str, Choices]
"""The words, the media id of what is shown, and what can be tapped."""
Takes = dict[str, tuple[int, frozenset[str]]]
PUBLIC: Takes = {
    "image": (10 * MEGABYTE, frozenset({"image/jpeg", "image/png", "image/gif"})),
    "voice": (2 * MEGABYTE, frozenset({"audio/amr", "audio/mpeg"})),
    "video": (10 * MEGABYTE, frozenset({"video/mp4"})),
    "thumb": (64 * 1024, frozenset({"image/jpeg"})),
}
CORPORATION: Takes = {
    "image": (10 * MEGABYTE, frozenset({"image/jpeg", "image/png"})),
    "voice": (2 * MEGABYTE, frozenset({"audio/amr"})),
    "video": (10 * MEGABYTE, frozenset({"video/mp4"})),
    "file": (20 * MEGABYTE, frozenset()),
}
_TOO_LARGE = {"image": 40009, "voice": 40010, "video": 40011, "thumb": 40012}
SMALLEST = 6


def refusal(takes: Takes, kind: str, content: bytes) -> int:
    """Return the code of the rule that an upload breaks, 0 for one that is taken."""
    if kind not in takes:
        return 40004
    size, mimes = takes[kind]
    if len(content) < SMALLEST:
        return 40006
    if len(content) > size:
        return _TOO_LARGE.get(kind, 40006)
    return 0 if not mimes or mime_of(content) in mimes else 40005


def mime_of(content: bytes) -> str:
    """Return the media type of a file by its first bytes."""
    return next(
        (mime for at, mark, mime in _MARKS if content[at:].startswith(mark)), "application/octet-stream"
    )


def line_of(body: Mapping[str, Any], kept: Mapping[str, Any]) -> Shown | int:
    """Return what stands in the chat of a message, or the code of what is wrong with it."""
    kind = str(body.get("msgtype", ""))
    inside = body.get(kind)
    if not isinstance(inside, dict):
        return 40008
    media_id = str(inside.get("media_id") or inside.get("thumb_media_id") or "")
    if media_id and media_id not in kept:
        return 40007
    return _shown(kind, inside, media_id) or 40008


def _shown(kind: str, inside: Mapping[str, Any], media_id: str) -> Shown | None:
    match kind:
        case "text":
            return str(inside.get("content", "")), "", ()
        case "image" | "voice" | "video" | "file" if media_id:
            return f"（{kind}）", media_id, ()
        case "msgmenu":
            words = " ".join(filter(None, (inside.get("head_content"), inside.get("tail_content"))))
            return words, "", tuple(_choice(each) for each in inside.get("list", ()))
        case "miniprogrampage" | "miniprogram" | "link":
            return (
                f"〔{inside.get('title', '')}〕{inside.get('pagepath') or inside.get('url', '')}",
                media_id,
                (),
            )
        case "news":
            first = inside["articles"][0]
            return f"〔{first['title']}〕{first['url']}", "", ()
    return None


def _choice(each: Mapping[str, Any]) -> tuple[str, str]:
    inside = each.get("click", each)
    return str(inside["id"]), str(inside["content"])
