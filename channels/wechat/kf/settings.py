"""What an account of 微信客服 needs: all of it stands in the console of the corporation (企业微信)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from channels.wechat.settings import decode_key


class Settings(BaseModel):
    """One account of customer service; ``poll_seconds`` is how often we look without having been called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["wechat_kf"]
    corp_id: str = Field(min_length=1)
    secret: SecretStr
    token: SecretStr
    aes_key: SecretStr
    open_kfid: str = Field(min_length=1)
    api_base: str = "https://qyapi.weixin.qq.com"
    poll_seconds: float = Field(default=60.0, ge=1, le=3600)

    @field_validator("aes_key")
    @classmethod
    def _right_length(cls, value: SecretStr) -> SecretStr:
        if decode_key(value.get_secret_value()) is None:
            message = (
                "the EncodingAESKey has 43 letters and digits; copy it again from the console of 微信客服"
            )
            raise ValueError(message)
        return value

    @field_validator("api_base")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            message = "write an address such as https://qyapi.weixin.qq.com"
            raise ValueError(message)
        return value.rstrip("/")
