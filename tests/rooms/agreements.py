"""Agreements in a house: drafts, signers, windows, and short ways to a signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from fpdf import FPDF
from sqlmodel import select

from adapters.signing_certificate import made
from commands.agreement import (
    AgreementTarget,
    Whole,
    cancel_agreement,
    change_agreement,
    create_agreement,
    send_agreement,
    whole_agreement,
)
from commands.editing_session import EditingPlace
from commands.room import Room, Visitor
from commands.signing import Signing, SigningWrite
from commands.signing_certificate import keep_certificate
from commands.signing_session import OpenWindow, keep_values, open_signing
from domain.agreement import Pinned
from domain.agreement_answers import Answers
from domain.paper import Paper
from domain.window import Place
from store.agreement import AgreementSignerRow, agreement_by_id
from store.paper import add_paper
from store.party import PartyRow
from tests.rooms.house import ANNA, House


def pdf(*pages: str) -> bytes:
    """A PDF with these words, a page each."""
    sheet = FPDF()
    sheet.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    sheet.set_font("helvetica", size=12)
    for words in pages:
        sheet.add_page()
        sheet.cell(text=words)
    return bytes(sheet.output())


PAPER = Paper(pdf("one"), ("page-1",))
OTHER_PAPER = Paper(pdf("one", "two"), ("page-1", "page-2"))
CONSENT = "I agree to be bound by this agreement."
DRAWN = {"strokes": [[[0.1, 0.1], [0.5, 0.3], [0.9, 0.1]]], "ratio": 0.4}
SIGN = "sign"
CONTRACT: dict[str, Any] = {
    "name": "Contract",
    "time_bound_days": 14,
    "tasks": [
        {
            "key": "sign",
            "kind": "signature",
            "title": "Sign",
            "document": "terms",
            "statement": "I agree.",
        }
    ],
}
"""A template whose one task brings an agreement of its own."""


def place(key: str, kind: str, signer: int | None, **more: Any) -> dict[str, Any]:
    """One field of a draft, on the first page."""
    stands = {"page": 1, "x": 0.1, "y": 0.1, "width": 0.3, "height": 0.05}
    return {"key": key, "kind": kind, "signer": signer, "label": key.title(), **stands, **more}


def body(*parties: UUID, **more: Any) -> dict[str, Any]:
    """A draft in which each of these parties has a text and a signature to give."""
    fields = [place("price", "text", None, value="100 EUR")]
    for at in range(1, len(parties) + 1):
        fields.append(place(f"title-{at}", "text", at, required=False))
        fields.append(place(f"signature-{at}", "signature", at))
    return {
        "title": "Supply agreement",
        "consent": CONSENT,
        "signers": [{"party": str(each)} for each in parties],
        "fields": fields,
        **more,
    }


@cache
def certificate() -> Any:
    """A certificate to seal with; making one takes a moment."""
    return made("Demo Ltd", at=datetime(2026, 1, 1, tzinfo=UTC), years=10)


@dataclass(slots=True)
class Desk:
    """Where a house's agreements lie."""

    house: House

    async def certify(self) -> None:
        """The workspace gets a certificate to seal with."""
        async with self.house.transactions.work() as work:
            await keep_certificate(work, self.house.workspace_id, certificate(), ANNA)

    async def party(self, name: str = "Vera Ltd") -> PartyRow:
        """Somebody who is to sign; the kind has no lifecycle, so that nothing else is issued."""
        address = f"{name.split(maxsplit=1)[0].lower()}@signer-{self.house.workspace_id}.example"
        return (await self.house.create(kind="signer", name=name, email=address)).party

    async def draft(self, *parties: UUID, paper: Paper = PAPER, **more: Any) -> Whole:
        """A new draft for these parties."""
        async with self.house.transactions.work() as work:
            return await create_agreement(
                work, self.house.workspace_id, body(*parties, **more), paper, ANNA
            )

    def target(self, agreement_id: UUID, held: EditingPlace | None = None) -> AgreementTarget:
        """An agreement, as Anna acts on it."""
        return AgreementTarget(agreement_id, self.house.workspace_id, ANNA, held)

    async def change(
        self,
        whole: Whole,
        changes: Mapping[str, Any],
        paper: Paper | None = None,
        held: EditingPlace | None = None,
    ) -> Whole:
        """Its next version."""
        async with self.house.transactions.work() as work:
            target = self.target(whole.row.id, held)
            return await change_agreement(work, target, whole.value.current, changes, paper)

    async def send(self, whole: Whole) -> Whole:
        """Sends it."""
        async with self.house.transactions.work() as work:
            return await send_agreement(work, self.target(whole.row.id), whole.value.current)

    async def cancel(self, whole: Whole, rationale: str = "no longer wanted") -> Whole:
        """Cancels it."""
        async with self.house.transactions.work() as work:
            return await cancel_agreement(work, self.target(whole.row.id), rationale)

    async def put_seal(self, agreement_id: UUID, pdf: bytes = PAPER.pdf) -> None:
        """As if it had been sealed; `pdf` is the document."""
        async with self.house.transactions.work() as work:
            row = await agreement_by_id(work.db, agreement_id, lock=True)
            assert row is not None
            paper = await add_paper(work.db, row.owner, pdf, work.at)
            assert paper is not None
            await work.db.flush()
            row.sealed_paper_id = paper.id

    async def now(self, agreement_id: UUID) -> Whole:
        """An agreement as it is now."""
        async with self.house.transactions.work() as work:
            return await whole_agreement(work, agreement_id, self.house.workspace_id)

    async def sent(self, *names: str, **more: Any) -> Whole:
        """An agreement that these people were asked to sign."""
        await self.certify()
        parties = [(await self.party(each)).id for each in names or ("Vera Ltd",)]
        return await self.send(await self.draft(*parties, **more))

    async def session_of(self, whole: Whole, position: int = 1) -> UUID:
        """The public session of a signer."""
        found = select(AgreementSignerRow.session_id).where(
            AgreementSignerRow.agreement_id == whole.row.id,
            AgreementSignerRow.position == position,
        )
        async with self.house.transactions.work() as work:
            session_id: UUID | None = (await work.db.scalars(found)).one()
        assert session_id is not None
        return session_id

    async def visitor(self, whole: Whole, position: int = 1, door: str = "door-1") -> Visitor:
        """A browser of a signer that typed a right code."""
        return await self.house.enter(await self.session_of(whole, position), door)

    async def open(
        self, visitor: Visitor, window: str = "w1", *, take_over: bool = False, task: str = SIGN
    ) -> Signing:
        """Opens a window."""
        async with self.house.transactions.work() as work:
            return await open_signing(work, visitor, OpenWindow(task, window, take_over))

    async def keep(self, visitor: Visitor, write: SigningWrite, values: Any) -> Answers:
        """Saves what was entered so far."""
        async with self.house.transactions.work() as work:
            return await keep_values(work, visitor, write, values, str)

    async def sign(
        self, visitor: Visitor, write: SigningWrite, values: Mapping[str, Any] | None = None
    ) -> Room:
        """Signs from a window."""
        given = values if values is not None else {"signature-1": DRAWN}
        answers = {
            "window": write.place.window,
            "fence": write.place.fence,
            "version": write.given.version,
            "sha256": write.given.sha256,
            "fields": given,
            "consent": True,
        }
        return await self.house.complete(visitor, write.task, answers)


def write_of(found: Signing, *, window: str = "", given: Pinned | None = None) -> SigningWrite:
    """What the page of a window sends with each write."""
    row = found.row
    assert row is not None
    return SigningWrite(
        found.task.key, Place(window or row.holder, row.fence), given or found.current
    )
