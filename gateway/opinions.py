"""What providers think of files that they were asked to look at, put to the case when they say so: a mark, no more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from gateway.runtime import millis
from gateway.store import flags
from normalizer.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from channels.contract import Opinion
    from gateway.store.store import Store


class Opinions:
    """Implements ``channels.contract.Opinions``."""

    def __init__(self, *, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def tell(self, account: str, name: str, opinion: Opinion | None) -> None:
        """Mark the case whose file was looked at under a name, or keep the word until it is known; raises Busy."""
        word = (opinion.advice, opinion.label) if opinion is not None else (flags.WELL, "")
        told = partial(flags.told, account=account, name=name, word=word, at=millis(self._now()))
        try:
            await self._store.write(told)
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error
