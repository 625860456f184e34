"""What an account of a mini-program needs."""

from __future__ import annotations

from typing import Literal

from channels.wechat.settings import App


class Settings(App):
    """One mini-program; its messages are pushed as XML (the console's choice of data format)."""

    kind: Literal["miniprogram"]
