"""What a mailbox account needs, checked before anything starts."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Security(StrEnum):
    """How a connection is protected: from the first byte, by STARTTLS (SMTP only), or not at all (loopback)."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Settings(BaseModel):
    """One mailbox: read by IMAP, answered by SMTP.

    ``domain`` is that of our own Message-IDs and must be written by this gateway alone; ``authserv_id`` names the
    server whose Authentication-Results are trusted; ``plus_addressing`` whether name+anything@ reaches the mailbox.
    ``max_size`` is in bytes, ``poll_seconds`` the pause where the server cannot push, ``replies_per_hour`` the most
    that one address is answered, as a backstop against loops.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["email"]
    address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    display_name: str = "12345政务服务便民热线"
    domain: str = ""
    imap_host: str = Field(min_length=1)
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_security: Security = Security.TLS
    imap_user: str = Field(min_length=1)
    imap_secret: SecretStr
    folder: str = "INBOX"
    processed_folder: str = "Processed"
    failed_folder: str = "Failed"
    smtp_host: str = Field(min_length=1)
    smtp_port: int = Field(default=465, ge=1, le=65535)
    smtp_security: Security = Security.TLS
    smtp_user: str = ""
    smtp_secret: SecretStr | None = None
    authserv_id: str = ""
    plus_addressing: bool = False
    max_size: int = Field(default=30 * 1024 * 1024, ge=64 * 1024)
    poll_seconds: float = Field(default=120.0, ge=1)
    replies_per_hour: int = Field(default=20, ge=1)
    dkim_selector: str = ""
    dkim_key: SecretStr | None = None

    @model_validator(mode="after")
    def _fit(self) -> Settings:
        if self.imap_security is Security.STARTTLS:
            message = 'imap_security "starttls" is not supported; use "tls" (port 993)'
            raise ValueError(message)
        if (self.dkim_key is None) != (not self.dkim_selector):
            message = "dkim_selector and dkim_key belong together; set both or neither"
            raise ValueError(message)
        return self

    @property
    def own_domain(self) -> str:
        """The domain of our own Message-IDs, in lower case."""
        return (self.domain or f"jiesu.{self.address.rpartition('@')[2]}").lower()
