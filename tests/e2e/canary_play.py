"""Everything that people and programs can type, typed with canaries in every place."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx2

from tests.e2e.caller import Caller
from tests.e2e.canary import Canaries
from tests.e2e.house import Office, until

TEMPLATE = "everything"
OCTETS = {"content-type": "application/octet-stream", "accept": "application/json"}
REPORT = """\
From: mailer-daemon@example.com
Subject: {subject}
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

{words}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; {host}.example

Final-Recipient: rfc822; {recipient}@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 {diagnostic}
--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}
X-Note: {note}
--b--
"""


@dataclass(slots=True)
class Play:
    """One office, its canaries, and who plays in it."""

    office: Office
    canaries: Canaries
    sessions: dict[str, UUID] = field(default_factory=dict)
    parties: dict[str, UUID] = field(default_factory=dict)

    # What programs send.

    async def call(self, method: str, path: str, body: Any = None, *, ok: bool = True) -> Any:
        """One call of the API; `ok` says which answer it has to be."""
        headers = {"idempotency-key": str(uuid4())} if method == "POST" else {}
        client = self.office.client
        answer = await client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        assert answer.is_success == ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    async def create_party(self, who: str, **more: Any) -> UUID:
        """A guest of whom everything is a canary."""
        word, accented = self.canaries.word, self.canaries.accented
        attributes: dict[str, Any] = {f"a{at}": word(f"attribute {at} of {who}") for at in range(6)}
        attributes |= {"line": accented(f"attribute line of {who}")}
        attributes |= {"nested": {"list": [word(f"nested attribute of {who}")]}}
        party = {
            "kind": "guest",
            "name": f"{word(f'name of {who}')} {accented(f'name of {who}')}",
            "email": f"{word(f'address of {who}')}@{self.office.name}.example",
            "attributes": attributes,
        }
        made = await self.call("POST", "parties", party | more)
        self.parties[who] = UUID(made["id"])
        return self.parties[who]

    async def issue(self, who: str, what: str) -> UUID:
        """A session with a subject."""
        subject = self.canaries.word(f"subject of {what}")
        body = {"template": TEMPLATE, "party": str(self.parties[who]), "subject": subject}
        self.sessions[what] = UUID((await self.call("POST", "public-sessions", body))["id"])
        return self.sessions[what]

    async def act(self, what: str, verb: str, **body: Any) -> Any:
        """Something that is done to a session."""
        return await self.call("POST", f"public-sessions/{self.sessions[what]}/{verb}", body)

    # What people send.

    async def come_in(self, caller: Caller, session: UUID) -> None:
        """Through the door, after two wrong codes: one is not even counted."""
        link = await self.office.link(session)
        caller.calls_itself(self.canaries.word("name of a browser"))
        await caller.get(link)
        answer = await caller.ask(link)
        assert answer.status_code == 303, answer.text
        incomplete = self.canaries.accented("incomplete code")
        assert (await caller.verify(link, incomplete)).status_code == 422
        wrong = f"{self.canaries.word('wrong code')}1234"
        assert (await caller.verify(link, wrong)).status_code in (401, 403, 422), wrong
        await caller.come_in(link, await self.office.fresh_code(session))

    def answers(self) -> dict[str, str | list[str]]:
        """An answer to every field."""
        word, accented, number = self.canaries.word, self.canaries.accented, self.canaries.number
        return {
            "line": word("text"),
            "company": word("text that is written back to the name"),
            "accented": accented("text"),
            "number_plate": word("text by a pattern"),
            "story": "\r\n".join([word("long text"), accented("long text")]),
            "count": number("whole number"),
            "amount": f"{number('number')}.5",
            "born_on": self.canaries.date("day"),
            "email": f"{word('mail address in a form')}@example.com",
            "phone": f"+{number('telephone')}",
            "country": "PT",
            "size": "small",
            "colours": ["red", "blue"],
            "sure": "yes",
        }

    def refused_answers(self) -> dict[str, str]:
        """Answers of which none is possible, and one to a question nobody asked."""
        fields = ("number_plate", "count", "amount", "born_on", "email", "phone", "country")
        return {
            **{each: self.canaries.accented(f"refused {each}") for each in fields},
            **{each: self.canaries.word(f"refused {each}") for each in ("size", "colours", "sure")},
            self.canaries.word("name of an unknown field"): self.canaries.word("unknown field"),
        }

    async def send(
        self,
        caller: Caller,
        name: str,
        content: bytes | AsyncIterator[bytes],
        slot: str = "",
        **more: str,
    ) -> httpx2.Response:
        """Sends one file as the page's script does."""
        headers = OCTETS | {
            "x-upload-id": str(uuid4()),
            "x-file-name": quote(name),
            "x-slot": quote(slot),
        }
        path = f"/sessions/{self.sessions['main']}/tasks/papers/files"
        return await caller.client.post(path, content=content, headers=headers | more)

    # Command line.

    async def gatepass(self, *arguments: str, given: bytes = b"") -> str:
        """The command line, as a process of its own."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *arguments),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=dict(self.office.house.environ),
        )
        out, said = await asyncio.wait_for(process.communicate(given), 30)
        assert process.returncode == 0, said.decode()
        return out.decode()

    def report(self, message_id: str) -> bytes:
        """A delivery report about a mail of ours."""
        word = self.canaries.word
        names = ("subject", "words", "host", "recipient", "diagnostic", "note")
        typed = {name: word(f"{name} of a delivery report") for name in names}
        return REPORT.format(message_id=message_id, **typed).encode()

    async def message_id(self, session: UUID, who: str) -> str:
        """The invitation's, as its mailbox received it."""
        address = (await self.call("GET", f"parties/{self.parties[who]}"))["email"]
        folder = self.office.house.mailbox.folder

        async def arrived() -> str:
            found = [each.id for each in folder.mails(address) if "Everything" in each.subject]
            return str(folder.message(found[-1])["Message-ID"]) if found else ""

        return await until(arrived, f"an invitation to session {session}")
