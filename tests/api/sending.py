"""A party's browser that sends files, and a real server where half a request must be possible."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from httpx2 import Response
from typing_extensions import override

from tests.api.conftest import BASE
from tests.rooms.house import House
from tests.rooms.party_browser import PartyBrowser, browser_at

TASK = "papers"


class Sending:
    """One browser in one room."""

    def __init__(self, browser: PartyBrowser, room: str) -> None:
        self.browser = browser
        self.room = room
        self.files = f"{room}/tasks/{TASK}/files"

    def headers(self, name: str, slot: str = "", **more: str) -> dict[str, str]:
        """What the page's script says of a file."""
        known = {
            "content-type": "application/octet-stream",
            "accept": "application/json",
            "x-upload-id": str(uuid4()),
            "x-file-name": quote(name, safe=""),
            "x-slot": quote(slot),
        }
        return self.browser.sent | known | {k.replace("_", "-"): v for k, v in more.items()}

    async def send(self, name: str, content: Any, slot: str = "", **more: str) -> Response:
        """As the script does: raw bytes."""
        headers = self.headers(name, slot, **more)
        return await self.browser.client.post(self.files, content=content, headers=headers)

    async def post_form(
        self, fields: dict[str, str], *files: tuple[str, bytes], **headers: str
    ) -> Response:
        """As the page's form does without a script."""
        parts = [("file", (name, content)) for name, content in files]
        return await self.browser.client.post(
            self.files, data=fields, files=parts, headers=self.browser.sent | headers
        )

    async def remove(self, file_id: str) -> Response:
        """As the script does."""
        headers = self.browser.sent | {"accept": "application/json"}
        return await self.browser.client.post(f"{self.files}/{file_id}/remove", headers=headers)

    async def listed(self) -> list[dict[str, Any]]:
        """What the page is told when it asks."""
        answer = await self.browser.get(self.files)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["files"]
        return found

    async def submit(self) -> Response:
        """Sends the task."""
        return await self.browser.post(f"{self.room}/tasks/{TASK}")


@asynccontextmanager
async def sending(app: FastAPI, house: House, host: str = BASE) -> AsyncIterator[Sending]:
    """A new vendor's browser in its room."""
    session = (await house.create(name="Vera & Sons")).issued[0]
    async with browser_at(app, house, host) as browser:
        yield Sending(browser, await browser.verify(session.id))


class _Server(uvicorn.Server):
    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    """The application on a port of this machine, in this process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = _Server(uvicorn.Config(app, lifespan="off", log_level="error"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
                await asyncio.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await running
