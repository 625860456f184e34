"""Photos, videos and documents of a report or a supplement: what was uploaded for it, shown, dropped, attached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.media.links import Variant
from normalizer.case import Attachment
from normalizer.message import PartKind

if TYPE_CHECKING:
    from gateway.media.intake import Taken
    from gateway.media.links import Links
    from gateway.media.missing import Missing
    from gateway.media.uploads import Uploads

KB, MB = 1024, 1024 * 1024
PLAYS = timedelta(hours=2)
"""How long a film or a recording can be played from a page that stands open."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as a page lists it; ``picture`` and ``play`` are addresses of copies to see or hear, empty where none is.

    ``words`` is what was spoken in it, as far as it was written down.
    """

    key: str
    name: str
    kind: PartKind
    size: str
    picture: str
    play: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Materials:
    """The files of whatever is being filled in; ``owner`` names that, and holds nothing personal."""

    uploads: Uploads
    links: Links

    def grant(self, owner: str) -> str:
        """Return the leave to upload that a page carries."""
        return self.uploads.grant(owner)

    async def shown(self, owner: str) -> tuple[Shown, ...]:
        """Return what was uploaded, oldest first."""
        return tuple(self._shown(owner, taken) for taken in await self.uploads.of(owner))

    async def missing(self, case_no: str) -> tuple[Missing, ...]:
        """Return the files of a case that are not here."""
        return await self.uploads.missing(case_no)

    async def attachments(self, owner: str) -> tuple[Attachment, ...]:
        """Return what was uploaded as a case keeps it."""
        return tuple(
            Attachment(
                taken.kind.value,
                media_id="",
                name=taken.name,
                mime=taken.mime,
                size=taken.size,
                blob=taken.key,
            )
            for taken in await self.uploads.of(owner)
        )

    async def drop(self, owner: str, key: str) -> None:
        """Forget a file that is not wanted after all."""
        await self.uploads.remove(owner, key)

    async def attach(self, owner: str, case_no: str) -> None:
        """Make what was uploaded a case's own, kept as long as the case is."""
        keys = [taken.key for taken in await self.uploads.of(owner)]
        if keys:
            await self.uploads.attach(owner, case_no, keys)

    def _shown(self, owner: str, taken: Taken) -> Shown:
        pictured = taken.kind in {PartKind.IMAGE, PartKind.VIDEO}
        picture = self.links.sign(owner, taken.key, Variant.THUMB) if pictured else ""
        size = f"{taken.size / MB:.1f} MB" if taken.size >= MB else f"{max(1, taken.size // KB)} KB"
        plays = taken.kind in {PartKind.VOICE, PartKind.VIDEO}
        play = self.links.sign(owner, taken.key, Variant.PLAY, PLAYS) if plays else ""
        words = taken.words if taken.kind is PartKind.VOICE else ""
        return Shown(taken.key, taken.name, taken.kind, size, picture, play, words)
