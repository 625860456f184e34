"""What one installation decides about its desk: ``[desk]`` of the configuration."""

from __future__ import annotations

from datetime import time
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Spans = tuple[tuple[time, time], ...]


class DeskSettings(BaseModel):
    """How talks are given out, the clocks, the length of the queue, and when people are there.

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
    search: bool = True
    hours: Spans = ()
    holiday_hours: Spans = ()

    @field_validator("hours", "holiday_hours")
    @classmethod
    def _in_order(cls, spans: Spans) -> Spans:
        fit = all(opens < closes for opens, closes in spans)
        if not fit or any(before[1] > after[0] for before, after in pairwise(spans)):
            message = 'write spans of one day in their order: [["08:30", "12:00"], ["13:30", "21:00"]]'
            raise ValueError(message)
        return spans
