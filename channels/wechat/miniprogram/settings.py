"""What an account of a mini-program needs."""

from __future__ import annotations

from typing import Literal

from channels.wechat.settings import App


class Settings(App):
    """One mini-program; ``format`` is the data format of pushed messages that was chosen in the console."""

    kind: Literal["miniprogram"]
    format: Literal["xml", "json"] = "xml"
