"""What every account with a carrier's gateway needs, and how a wrong setting is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.sms.session import Timers

if TYPE_CHECKING:
    pass


class Gateway(BaseModel):
    """Where the gateway is, who we are there, and how fast it may be asked (messages a second, unanswered)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    secret: SecretStr
    src_id: str = Field(pattern=r"^\d{1,20}$")
    signature: str = Field(default="", max_length=32)
    service_id: str = Field(default="", max_length=10, pattern=r"^[\x21-\x7e]*$")
    rate: float = Field(default=20.0, gt=0, le=10_000)
    window: int = Field(default=16, ge=1, le=100)

    @property
    def timers(self) -> Timers:
        """The protocol's numbers with this account's window."""
        return Timers(window=self.window)
