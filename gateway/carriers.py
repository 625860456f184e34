"""What an account's channel is like, for those who know an account by its name only and write to people there.

The accounts are looked up when they are asked for: the parts of a gateway are joined before its channels are made, and a
talk outlives an account that was taken out of the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from normalizer.message import SourceChannel
from outbox.render import Wording, wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Channel


@dataclass(frozen=True, slots=True)
class Carriers:
    """Answers for accounts by their names; one that is gone carries nothing."""

    channels: Mapping[str, Channel]

    def source(self, account: str) -> SourceChannel | None:
        """Return the kind of channel of an account, None for one that is gone."""
        channel = self.channels.get(account)
        return channel.capabilities.source if channel is not None else None

    def texts(self, account: str) -> bool:
        """Return whether an account writes to telephones."""
        channel = self.channels.get(account)
        return channel is not None and channel.capabilities.phones

    def looked_at(self, account: str) -> bool:
        """Return whether people look at an account while they wait: not at their texts, nor at their mail."""
        source = self.source(account)
        return source is not None and source is not SourceChannel.EMAIL and not self.texts(account)

    def wording(self, account: str) -> Wording:
        """Return the wording that fits an account; the long one for one that is gone."""
        channel = self.channels.get(account)
        return wording(channel.capabilities) if channel is not None else Wording.LONG
