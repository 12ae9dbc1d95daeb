"""Files of parties, sealed and put where the product keeps them, as if a browser had sent them."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from adapters.file_cipher import sealed
from adapters.objects import ObjectStore, new_object_name
from commands.upload_file import file_key_of
from store.columns import new_id
from store.public_session import tasks_of
from store.upload import UploadRow
from tests.rooms.house import House


async def keep_file(
    house: House, objects: ObjectStore, session_id: UUID, content: bytes, **columns: Any
) -> UploadRow:
    """A file of a session's first task, whatever that is."""
    async with house.transactions.work() as work:
        task = (await tasks_of(work.db, session_id))[0]
        known = {
            "client_id": new_id(),
            "workspace_id": house.workspace_id,
            "session_id": session_id,
            "task_id": task.id,
            "kind": "pdf",
            "size": len(content),
            "object_name": new_object_name(),
            "sealed_sha256": "0" * 64,
            "received_at": work.at,
            "name": "insurance.pdf",
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        row = UploadRow(**(known | columns))
        work.db.add(row)
        await work.db.flush()
        key = await file_key_of(work, row)
        assert key is not None
        await objects.write(row.object_name, sealed(key, _pieces(content)))
        return row


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 2**20):
        yield content[at : at + 2**20]
