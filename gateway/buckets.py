"""A shelf in an S3 bucket (the extra ``s3``), by obstore; what was not finished is left to the bucket's lifecycle rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from normalizer.errors import NotFound

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

    from gateway.settings import Bucket
    from gateway.shelves import Writing

PART = 5 * 1024 * 1024
"""Bytes of a part of an upload to S3, the least that S3 takes."""
AT_ONCE = 2


class Unreachable(OSError):
    """The bucket does not answer or refuses."""


class _BucketWriting:
    def __init__(self, file: AsyncWritableFile) -> None:
        self._file = file

    async def write(self, content: bytes) -> None:
        try:
            await self._file.write(content)
        except (BaseError, OSError) as error:
            raise _lost(error) from error

    async def finish(self) -> None:
        try:
            await self._file.close()
        except (BaseError, OSError) as error:
            raise _lost(error) from error

    async def abandon(self) -> None:
        """Leave it unfinished: no object comes of it."""


class BucketShelf:
    """Implements ``gateway.shelves.Shelf`` on an object store."""

    def __init__(self, bucket: ObjectStore) -> None:
        self._bucket = bucket

    async def write(self, name: str) -> Writing:
        """Begin a file."""
        return _BucketWriting(
            obstore.open_writer_async(self._bucket, name, buffer_size=PART, max_concurrency=AT_ONCE)
        )

    async def read(self, name: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``; raises NotFound."""
        if length == 0:
            return b""
        try:
            return bytes(await obstore.get_range_async(self._bucket, name, start=start, length=length))
        except FileNotFoundError as error:
            raise NotFound("no such file") from error
        except (BaseError, OSError) as error:
            raise _lost(error) from error

    async def size(self, name: str) -> int:
        """Return a file's size in bytes; raises NotFound."""
        try:
            return int((await obstore.head_async(self._bucket, name))["size"])
        except FileNotFoundError as error:
            raise NotFound("no such file") from error
        except (BaseError, OSError) as error:
            raise _lost(error) from error

    async def move(self, name: str, to: str) -> None:
        """Give a file another name: S3 copies, then deletes."""
        try:
            await obstore.copy_async(self._bucket, name, to)
            await obstore.delete_async(self._bucket, name)
        except (BaseError, OSError) as error:
            raise _lost(error) from error

    async def delete(self, name: str) -> None:
        """Remove a file; one that is not there is well."""
        try:
            await obstore.delete_async(self._bucket, name)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _lost(error) from error

    async def clear(self, folder: str, older: float) -> int:
        """Remove what lies in a folder and was written more than ``older`` seconds ago; return how many."""
        before, count = datetime.now(UTC) - timedelta(seconds=older), 0
        try:
            async for batch in obstore.list(self._bucket, f"{folder}/"):
                names = [found["path"] for found in batch if not older or found["last_modified"] <= before]
                if names:
                    await obstore.delete_async(self._bucket, names)
                count += len(names)
        except (BaseError, OSError) as error:
            raise _lost(error) from error
        return count


def open_bucket(address: str, how: Bucket) -> BucketShelf:
    """Return the shelf of ``s3://bucket/prefix``; credentials that are not set come from the environment."""
    name, _, prefix = address.removeprefix("s3://").partition("/")
    given: Any = {
        "endpoint": how.endpoint,
        "access_key_id": how.access_key,
        "secret_access_key": how.secret.get_secret_value(),
    }
    store = S3Store(
        name,
        prefix=prefix or None,
        region=how.region,
        virtual_hosted_style_request=how.virtual_host,
        client_options={
            "timeout": "60s",
            "connect_timeout": "10s",
            "allow_http": how.endpoint.startswith("http://"),
        },
        **{key: value for key, value in given.items() if value},
    )
    return BucketShelf(store)


def _lost(error: BaseException) -> Unreachable:
    return Unreachable(0, type(error).__name__)
