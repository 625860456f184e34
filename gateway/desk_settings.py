"""What one installation decides about its desk: ``[desk]`` and ``[desk.oidc]`` of the configuration."""

from __future__ import annotations

from datetime import time
from itertools import pairwise
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

Spans = tuple[tuple[time, time], ...]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_Word = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]


class Oidc(BaseModel):
    """Single sign-on by OpenID Connect: whom to ask who somebody is, and what must be true of the answer.

    ``claim`` of the ID token, else of userinfo, is a login of ours, without ``domain`` behind its @ where one is set. Its ``acr`` must be one
    of these, one of its ``amr`` one of those; with either, the provider's second factor counts and ours is not asked for.
    ``max_age_minutes``: so long ago at most somebody proved himself there. ``contact`` is whom to ask when it fails.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    client_id: _Word
    client_secret: SecretStr | None = None
    claim: str = Field(default="preferred_username", min_length=1)
    domain: str = ""
    scope: tuple[_Word, ...] = ("openid", "profile")
    acr: tuple[_Word, ...] = ()
    amr: tuple[_Word, ...] = ()
    max_age_minutes: int | None = Field(default=None, ge=1, le=10_080)
    passwords: bool = True
    button: str = Field(default="用统一身份认证登录", min_length=1, max_length=40)
    button_en: str = Field(default="Single sign-on", min_length=1, max_length=40)
    contact: str = Field(default="", max_length=100)

    @field_validator("issuer")
    @classmethod
    def _safe(cls, given: str) -> str:
        parts = urlsplit(given)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not safe or not parts.hostname or parts.query or parts.fragment:
            message = (
                "write the provider's issuer, https://… without ? and #, as its discovery document has it"
            )
            raise ValueError(message)
        return given

    @field_validator("scope")
    @classmethod
    def _connects(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in given:
            message = "openid must be among them"
            raise ValueError(message)
        return given


class DeskSettings(BaseModel):
    """How talks are given out, the clocks, the length of the queue, the pace of a page, and when people are there.

    ``hours`` are spans of a working day (make-up workdays too), ``holiday_hours`` those of any other day; with neither
    the city's ``seats`` count, every day alike. ``search`` keeps an index of words (docs/desk-work.md); without it what
    there was is emptied at the next start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["offer", "assign"] = "offer"
    offer_seconds: int = Field(default=15, ge=5, le=600)
    decline_seconds: int = Field(default=60, ge=1, le=3600)
    grace_seconds: int = Field(default=60, ge=0, le=600)
    relax_seconds: int = Field(default=120, ge=0, le=86_400)
    undo_seconds: int = Field(default=10, ge=0, le=60)
    silent_seconds: int = Field(default=120, ge=10, le=3600)
    idle_minutes: int = Field(default=10, ge=1, le=1440)
    closing_minutes: int = Field(default=5, ge=1, le=1440)
    wrap_up_seconds: int = Field(default=60, ge=0, le=3600)
    sticky_hours: int = Field(default=24, ge=0, le=720)
    queue_limit: int = Field(default=500, ge=1)
    long_wait_minutes: int = Field(default=10, ge=1, le=1440)
    idle_logout_minutes: int = Field(default=30, ge=1, le=1440)
    session_per_second: float = Field(default=10.0, gt=0)
    session_burst: float = Field(default=100.0, ge=1)
    heartbeat_seconds: float = Field(default=15.0, gt=0, le=60)
    replay_events: int = Field(default=5_000, ge=1)
    search: bool = True
    hours: Spans = ()
    holiday_hours: Spans = ()
    oidc: Oidc | None = None

    @field_validator("hours", "holiday_hours")
    @classmethod
    def _in_order(cls, spans: Spans) -> Spans:
        fit = all(opens < closes for opens, closes in spans)
        if not fit or any(before[1] > after[0] for before, after in pairwise(spans)):
            message = 'write spans of one day in their order: [["08:30", "12:00"], ["13:30", "21:00"]]'
            raise ValueError(message)
        return spans
