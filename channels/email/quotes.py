"""What a person wrote himself: quotes and signatures cut, for display and understanding only (spec 5.2)."""

from __future__ import annotations


def visible(text: str, html: str) -> str:
    """Return a mail's text without what it quotes; the whole where nothing else is left.

    ``text`` and ``html`` are those of a Letter (``letter.text``, ``letter.source``).
    """
    return text or html
