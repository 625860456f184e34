"""What an account of WeChat needs: design names, checked before anything starts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)


class Mode(StrEnum):
    """How callbacks come: plain, both (compatible), or encrypted only (safe)."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class Template(BaseModel):
    """A template of the platform: its ``fields`` worded over what a notice holds ({case_no}, {tail}, {text}, {unit}…).

    ``page`` opens on a tap; ``once`` when a person agrees to one message at a time, not for good.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    fields: Mapping[str, str] = Field(default_factory=dict)
    page: str = ""
    once: bool = True


class App(BaseModel):
    """What every app of WeChat has. ``previous_aes_key`` is still accepted for a while after the key was changed.

    ``open_platform`` names the open platform that it is bound to: accounts of one name know their people by one union id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    app_id: str = Field(min_length=1)
    secret: SecretStr
    token: SecretStr
    aes_key: SecretStr | None = None
    previous_aes_key: SecretStr | None = None
    mode: Mode = Mode.SAFE
    api_base: str = "https://api.weixin.qq.com"
    open_platform: str = ""
    templates: Mapping[str, Template] = Field(default_factory=dict)
    subscribe: Mapping[str, Template] = Field(default_factory=dict)

    @field_validator("templates", "subscribe", mode="before")
    @classmethod
    def _by_id(cls, value: object) -> object:
        """Take an id alone for a template whose fields are named as a notice names them."""
        if not isinstance(value, Mapping):
            return value
        return {notice: {"id": each} if isinstance(each, str) else each for notice, each in value.items()}

    @field_validator("aes_key", "previous_aes_key")
    @classmethod
    def _right_length(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and decode_key(value.get_secret_value()) is None:
            message = "the EncodingAESKey has 43 letters and digits; copy it again from the WeChat console"
            raise ValueError(message)
        return value

    @field_validator("api_base", "open_base", check_fields=False)
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            message = "write an address such as https://api.weixin.qq.com"
            raise ValueError(message)
        return value.rstrip("/")

    @model_validator(mode="after")
    def _key_for_mode(self) -> Self:
        if self.mode is not Mode.PLAIN and self.aes_key is None:
            message = f'mode "{self.mode}" needs aes_key; set it, or set mode = "plain"'
            raise ValueError(message)
        return self


class Settings(App):
    """One public account."""

    kind: Literal["wechat"]
    open_base: str = "https://open.weixin.qq.com"
    passive_deadline: float = Field(default=3.5, gt=0, lt=5)


def decode_key(encoded: str) -> bytes | None:
    """Return the 32 bytes of an EncodingAESKey, None when it is not one."""
    try:
        key = base64.b64decode(encoded + "=", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None
