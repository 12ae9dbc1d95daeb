"""The bytes of an uploaded file: under which key they lie, and how they are read and let go."""

from collections.abc import AsyncGenerator
from uuid import UUID

from adapters.aead import associated
from adapters.data_key import DataKey
from adapters.file_cipher import FileKey, SealedFile
from adapters.objects import ObjectStore
from commands.work import Transactions, Work
from store.sealed import Owner, key_of
from store.upload import UploadRow, note_object_gone


def file_key(key: DataKey, upload_id: UUID) -> FileKey | None:
    """The key of one file, bound to its workspace, session and id; None once it is erased."""
    secret = key.file_key()
    if secret is None:
        return None
    place = str(key.workspace_id), "upload", str(key.subject_id), str(upload_id), "file"
    return FileKey(secret, associated(*place))


async def file_key_of(work: Work, row: UploadRow) -> FileKey | None:
    """The key of an uploaded file; None once its session is erased."""
    return file_key(await data_key_of(work, row.owner), row.id)


async def data_key_of(work: Work, owner: Owner) -> DataKey:
    """The data key of an owner, as what it is."""
    found = await key_of(work.db, owner)
    if not isinstance(found, DataKey):
        raise TypeError("the vault keeps data keys")
    return found


async def open_file(objects: ObjectStore, row: UploadRow, key: FileKey) -> SealedFile:
    """The file, opened for reading any part of it.

    Raises `Undecipherable`, `ObjectMissing` or `ObjectStoreAway`.
    """
    return await SealedFile.opened(await objects.stored(row.object_name), key)


async def read_file(
    objects: ObjectStore, row: UploadRow, key: FileKey
) -> AsyncGenerator[bytes, None]:
    """The whole file, piece by piece; raises as `open_file`."""
    async for each in (await open_file(objects, row, key)).chunks():
        yield each


async def let_go(begin: Transactions, objects: ObjectStore, row: UploadRow) -> None:
    """Deletes the object of a removed row, and notes that it is gone; again is harmless.

    Raises `ObjectStoreAway`; housekeeping tries again.
    """
    await objects.delete(row.object_name)
    async with begin.work() as work:
        await note_object_gone(work.db, row.id, work.at)
