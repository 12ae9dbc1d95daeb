"""A signer as a program: comes in, opens a window, signs."""

import re
from base64 import b64encode
from typing import Any
from uuid import UUID

from tests.e2e.caller import Caller
from tests.e2e.house import Office
from tests.rooms.agreements import body
from tests.rooms.papers import pdf_of

HIDDEN = re.compile(r'name="(window|fence|version|sha256)"[^>]*value="([^"]*)"')


async def sent_agreement(office: Office, *who: str, pages: int = 2, **more: Any) -> dict[str, Any]:
    """An agreement that these people, made for it, were asked to sign."""
    parties = [UUID((await office.create(each, kind="signer"))["id"]) for each in who]
    pdf = b64encode(pdf_of(*(f"Page {each}" for each in range(pages)))).decode()
    draft = await office.post("agreements", body(*parties, **more) | {"pdf": pdf})
    pinned = {"version": draft["version"], "sha256": draft["sha256"]}
    return await office.post(f"agreements/{draft['id']}/send", pinned)


async def session_of(office: Office, agreement: str, position: int) -> UUID | None:
    """The public session of a signer, once it was asked."""
    shown = await office.get(f"agreements/{agreement}")
    session = shown["signers"][position - 1]["public_session"]
    return UUID(session) if session else None


async def sign(office: Office, session: UUID, position: int) -> None:
    """Comes in by a code, opens a window, and signs by typing a name."""
    async with Caller(office.house.url) as person:
        await person.come_in(await office.link(session), await office.fresh_code(session))
        task = f"/sessions/{session}/tasks/sign"
        window = f"w{position}-{session.hex[:8]}"
        opened = await person.post(f"{task}/open", {"window": window})
        assert opened.status_code == 303, (opened.status_code, opened.text)
        page = await person.get(opened.headers["location"])
        hidden = dict(HIDDEN.findall(page.text))
        signed = {**hidden, f"typed:signature-{position}": "Vera", "consent": "yes"}
        answer = await person.post(task, signed)
        assert answer.status_code == 303, (answer.status_code, answer.text)
