"""The account's menu as data: at most three buttons of at most five each, within what a screen shows (wechat.md 2.9)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from channels.settings import read

if TYPE_CHECKING:
    from collections.abc import Mapping

ABOVE, BELOW = 4, 7
"""Chinese characters of a name that are shown of a button in the bar, and of one that it opens."""
_KEYED = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
_Kind = Literal[
    "click",
    "view",
    "miniprogram",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
]


class Button(BaseModel):
    """A button that does something: ``key`` comes back when it is pressed, ``url`` is opened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    type: _Kind
    key: str = Field(default="", max_length=128)
    url: str = Field(default="", max_length=1024)
    appid: str = ""
    pagepath: str = ""

    @field_validator("name")
    @classmethod
    def _fits(cls, value: str) -> str:
        return _shown(value, BELOW)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = {"view": ("url",), "miniprogram": ("url", "appid", "pagepath")}.get(self.type, ("key",))
        missing = [name for name in wanted if not getattr(self, name)]
        if missing:
            message = f'the button "{self.name}" of type {self.type} needs {", ".join(missing)}'
            raise ValueError(message)
        return self


class Bar(BaseModel):
    """A button in the bar: it opens those of ``sub``, or does something itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    type: _Kind | None = None
    key: str = Field(default="", max_length=128)
    url: str = Field(default="", max_length=1024)
    appid: str = ""
    pagepath: str = ""
    sub: tuple[Button, ...] = Field(default=(), max_length=5)

    @field_validator("name")
    @classmethod
    def _fits(cls, value: str) -> str:
        return _shown(value, ABOVE)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.sub) == (self.type is not None):
            message = f'the button "{self.name}" either has a type or opens others ("sub")'
            raise ValueError(message)
        if self.type is not None:
            Button(**self.model_dump(exclude={"sub"}))
        return self


class Menu(BaseModel):
    """The whole bar."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    button: tuple[Bar, ...] = Field(min_length=1, max_length=3)


DEFAULT: Mapping[str, Any] = {
    "button": [
        {
            "name": "反映问题",
            "sub": [
                {"name": "我要反映", "type": "click", "key": "REPORT"},
                {"name": "拍照上传", "type": "pic_photo_or_album", "key": "PHOTO"},
                {"name": "发送位置", "type": "location_select", "key": "PLACE"},
            ],
        },
        {"name": "查进度", "type": "click", "key": "PROGRESS"},
        {"name": "转人工", "type": "click", "key": "HUMAN"},
    ]
}
"""The menu that the bot's talk is made for."""


def body_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the menu as the platform takes it; raises Misconfigured, naming the button and the limit."""
    menu = read(Menu, "", raw)
    return {"button": [_bar(each) for each in menu.button]}


def _bar(each: Bar) -> dict[str, Any]:
    if not each.sub:
        return _button(each)
    return {"name": each.name, "sub_button": [_button(one) for one in each.sub]}


def _button(each: Bar | Button) -> dict[str, Any]:
    given = each.model_dump(include={"name", "type", "key", "url", "appid", "pagepath"})
    return {name: value for name, value in given.items() if value}


def _shown(name: str, most: int) -> str:
    width = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in name)
    if width > 2 * most:
        message = f'"{name}" is longer than {most} Chinese characters; more is not shown'
        raise ValueError(message)
    return name
