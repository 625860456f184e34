"""What every account with a carrier's gateway needs, and who is meant by an address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.sms.session import Timers
from normalizer.errors import InvalidInput

Networks = tuple[IPv4Network | IPv6Network, ...]
"""Addresses (10.0.0.1) and whole networks (10.0.0.0/24)."""


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


def address(text: str) -> IPv4Address | IPv6Address:
    """Return who calls, an IPv4 caller of an IPv6 socket as what he is; raises InvalidInput."""
    try:
        found = ip_address(text)
    except ValueError as error:
        raise InvalidInput("foreign_address") from error
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
