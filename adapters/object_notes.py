"""Small notes that lie beside the objects: what must still be known when a database is restored.

None is named as an object is, so that whoever sweeps objects passes them by.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError

from adapters.object_folder import flush_named
from adapters.objects import ObjectMissing, ObjectStore, ObjectStoreAway

if TYPE_CHECKING:
    from obstore.store import ObjectStore as AnyStore

LISTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Note:
    """A note that there is, and when it was last written by the store's clock."""

    name: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ObjectNotes:
    """The notes of one object store; made by `ObjectNotes.beside`."""

    _store: "AnyStore" = field(repr=False)
    _folder: Path | None

    @classmethod
    def beside(cls, objects: ObjectStore) -> "ObjectNotes":
        """The notes in a store of objects."""
        return objects.beside(cls)

    async def write(self, name: str, text: str) -> None:
        """Writes a note, or writes it anew; it is on the disk then. Raises `ObjectStoreAway`."""
        with _reaching(name):
            await obstore.put_async(self._store, name, text.encode())
            if self._folder is not None:
                await asyncio.to_thread(flush_named, self._folder / name)

    async def read(self, name: str) -> str | None:
        """What a note says, if there is one; raises `ObjectStoreAway`."""
        with suppress(ObjectMissing), _reaching(name):
            found = await (await obstore.get_async(self._store, name)).bytes_async()
            return found.to_bytes().decode()
        return None

    async def delete(self, name: str) -> None:
        """Removes a note, if it is there; raises `ObjectStoreAway`."""
        with suppress(ObjectMissing), _reaching(name):
            await obstore.delete_async(self._store, name)

    async def under(self, place: str) -> AsyncIterator[list[Note]]:
        """The notes under a place, page after page; raises `ObjectStoreAway`."""
        with _reaching(place):
            async for page in obstore.list(self._store, place, chunk_size=LISTED_AT_ONCE):
                yield [Note(each["path"], each["last_modified"]) for each in page]


@contextmanager
def _reaching(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(name) from error
    except (BaseError, OSError) as error:
        raise ObjectStoreAway(f"{name}: {type(error).__name__}") from error
