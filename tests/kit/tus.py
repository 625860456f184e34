"""An upload's requests, made by hand, and a film of any size to upload."""

from __future__ import annotations

from random import Random

from tests.kit import media

MB = 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
OFFSETS = "application/offset+octet-stream"
OWNER = "draft-1"


def film(size: int) -> bytes:
    """A film that plays, made as large as is wanted by an ignored box at its end (ISO 14496-12 8.1.2)."""
    made = media.film()
    free = size - len(made)
    return made + free.to_bytes(4, "big") + b"free" + Random(1).randbytes(free - 8)


async def begun(http, site, gateway, size: int, **headers) -> str:
    token = gateway.media.uploads.grant(OWNER)
    asked = TUS | {"Upload-Length": str(size), "Authorization": f"Bearer {token}"} | headers
    async with http.post(f"{site}/uploads", headers=asked) as answer:
        assert answer.status == 201, await answer.text()
        return site + answer.headers["Location"]


def patch(at: int, **headers) -> dict[str, str]:
    return TUS | {"Upload-Offset": str(at), "Content-Type": OFFSETS} | headers


async def offset(http, place: str) -> str:
    async with http.head(place, headers=TUS) as answer:
        return answer.headers.get("Upload-Offset", str(answer.status))
