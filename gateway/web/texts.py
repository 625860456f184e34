"""What pages say, by language: Chinese stands in the templates, other languages in ``templates/portal/<lang>.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ZH, EN = "zh", "en"
LANGUAGES = {ZH: "中文", EN: "English"}
HTML_LANG = {ZH: "zh-CN", EN: "en"}


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """Return the translations into a language, by the Chinese text; empty for Chinese itself."""
    if lang == ZH:
        return {}
    text = resources.files("gateway").joinpath(f"templates/portal/{lang}.toml").read_text("utf-8")
    return tomllib.loads(text)


def speaker(lang: str) -> Callable[..., Markup]:
    """Return the function by which a template speaks a language: text with ``{fields}`` in, safe markup out."""
    translated = catalogue(lang)

    def say(text: str, **fields: object) -> Markup:
        said = Markup(escape(translated.get(text, text)))  # noqa: S704 - escaped here
        return said.format(**fields) if fields else said

    return say
