"""Receives the bytes of an upload: counted, checked and sealed on their way into the store (PS-40).

Memory stays flat, no transaction is open, and nothing in clear is written anywhere.
"""

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from adapters.aead import KEY_BYTES
from adapters.file_check import checked, with_good_head
from adapters.file_cipher import FileKey, SealedFile, sealed
from adapters.objects import ObjectStore, StoredObject
from domain.file_kind import FileKind, Inspection
from domain.upload import UploadRefused, UploadScope

CHECK_TIMEOUT = timedelta(seconds=60)
ASIDE = b"aside"


@dataclass(frozen=True, slots=True)
class Reception:
    """A file that may be sent now: where it goes, as what, and what its task takes."""

    upload_id: UUID
    object_name: str
    kind: FileKind
    name: str
    scope: UploadScope
    key: FileKey = field(repr=False)

    def refuse_size(self, size: int) -> None:
        """Raises `UploadRefused` for a size in bytes that the scope does not allow."""
        if refusal := self.scope.refuses_size(self.kind, size):
            raise UploadRefused(refusal)


@dataclass(frozen=True, slots=True)
class Received:
    """What has been received and lies whole in the object store."""

    reception: Reception
    size: int
    received_sha256: str
    sha256: str
    sealed_sha256: str


async def receive(
    reception: Reception, chunks: AsyncIterator[bytes], objects: ObjectStore
) -> Received:
    """Streams a file through its checks and its encryption into the object store.

    Raises `UploadRefused`, `FileCheckBroken`, `ObjectStoreAway`, or what `chunks` raises; nothing
    is kept then, and whatever worked on the file has ended.
    """
    arrived = _Measured()
    async with aclosing(arrived.watching(chunks, reception.refuse_size)) as limited:
        if reception.kind.inspection == Inspection.WHOLE:
            kept, stored = await _keep_rewritten(reception, limited, objects)
        else:
            # What passes is not changed: it need not be hashed once more.
            kept, stored = arrived, await _keep_passing(reception, limited, objects)
    return Received(
        reception,
        size=kept.size,
        received_sha256=arrived.digest,
        sha256=kept.digest,
        sealed_sha256=stored.digest,
    )


async def _keep_passing(
    reception: Reception, chunks: AsyncIterator[bytes], objects: ObjectStore
) -> "_Measured":
    async with aclosing(checked(reception.kind, chunks, timeout=CHECK_TIMEOUT)) as good:
        return await _keep(reception, good, objects)


async def _keep_rewritten(
    reception: Reception, chunks: AsyncIterator[bytes], objects: ObjectStore
) -> tuple["_Measured", "_Measured"]:
    """Sets a file aside until it has come, and checks it then: no check waits for a sender.

    The key of what is set aside is nowhere but here: if we are killed, nobody can open it.
    """
    kind, limit = reception.kind, reception.scope.limit_of(reception.kind)
    key, kept = FileKey(os.urandom(KEY_BYTES), ASIDE), _Measured()
    async with (
        aclosing(with_good_head(kind, chunks)) as begun,
        objects.set_aside(sealed(key, begun)) as aside,
        aclosing(_read(aside, key)) as whole,
        aclosing(checked(kind, whole, timeout=CHECK_TIMEOUT, limit=limit)) as clean,
        aclosing(kept.watching(clean)) as good,
    ):
        return kept, await _keep(reception, good, objects)


async def _read(aside: StoredObject, key: FileKey) -> AsyncGenerator[bytes, None]:
    async for each in (await SealedFile.opened(aside, key)).chunks():
        yield each


async def _keep(
    reception: Reception, good: AsyncIterator[bytes], objects: ObjectStore
) -> "_Measured":
    stored = _Measured()
    async with aclosing(stored.watching(sealed(reception.key, good))) as secret:
        await objects.write(reception.object_name, secret)
    return stored


def _any_size(_: int) -> None:
    return


class _Measured:
    """Counts and hashes a stream that passes."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    async def watching(
        self, chunks: AsyncIterator[bytes], refuse: Callable[[int], None] = _any_size
    ) -> AsyncGenerator[bytes, None]:
        """The same stream; `refuse` hears of each size it grows to, and of the whole."""
        async for each in chunks:
            self.size += len(each)
            self._hash.update(each)
            if each:
                refuse(self.size)
            yield each
        refuse(self.size)
