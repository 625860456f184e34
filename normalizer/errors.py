"""The one root of every error Jiesu raises on purpose.

::

    JiesuError
    ├── InvalidInput        what came from outside is not what it claims to be
    │   └── TooLarge
    ├── Refused             a rule of the hotline forbids this step (reason: a short code)
    ├── NotFound
    ├── Busy                come again: a bounded queue is full or a deadline has passed
    └── Misconfigured       a setting is wrong (setting: its name, cure: what to do)

Channels add ``SendError`` (channels.contract).
"""

from __future__ import annotations


class JiesuError(Exception):
    """Something Jiesu cannot do; the message says what."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class InvalidInput(JiesuError):
    """The input is not what it claims to be."""


class TooLarge(InvalidInput):
    """The input is larger or deeper than allowed."""


class Refused(JiesuError):
    """A rule of the hotline forbids this step."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class NotFound(JiesuError):
    """There is no such thing, or the asker may not know of it."""


class Busy(JiesuError):
    """The service is full for a moment; the same request may be sent again."""


class Misconfigured(JiesuError):
    """A setting is wrong."""

    def __init__(self, setting: str, cure: str) -> None:
        super().__init__(f"{setting}: {cure}")
        self.setting = setting
        self.cure = cure
