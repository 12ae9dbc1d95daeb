"""Who a signer was when they signed, as the certificate of completion says it.

It is read once, in the transaction of the signature, and lies sealed in the signer's evidence: the
party's address and the session's browser may be others by the time the document is sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from commands.work import Work
from store.agreement import AgreementSignerRow
from store.binding import BindingRow
from store.party import PartyRow
from store.public_session import PublicSessionRow, session_by_id
from store.sealed import opened_one

IDENTITY = "identity"
"""Where it lies in a signer's evidence. Not in the submission's, which masks addresses."""
OPENED_BY = "opened_by"
"""Where it lies, beside it, by which browser the document was opened first."""
_ENTRY = ("mailbox_confirmed_at", "binding")


@dataclass(frozen=True, slots=True)
class SignerIdentity:
    """Whose mailbox was confirmed, when, and in which browser; `binding` is that browser's row."""

    email: str = ""
    mailbox_confirmed_at: datetime | None = None
    browser: str = ""
    binding: str = ""

    @property
    def as_evidence(self) -> dict[str, Any]:
        """What is kept of it."""
        at = self.mailbox_confirmed_at
        return {
            "email": self.email,
            "mailbox_confirmed_at": at.isoformat() if at else None,
            "browser": self.browser,
            "binding": self.binding,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "SignerIdentity":
        """What was kept."""
        at = kept["mailbox_confirmed_at"]
        confirmed_at = datetime.fromisoformat(at) if at else None
        return cls(kept["email"], confirmed_at, kept["browser"], kept["binding"])


async def present_identity(
    work: Work, party_id: UUID, session: PublicSessionRow | None
) -> SignerIdentity:
    """Who acts in the session now.

    Another address ends the browser's place, so that the code was mailed to this one.
    """
    # By its key: the transaction of a signature has read it before.
    party = await opened_one(work.db, await work.db.get(PartyRow, party_id))
    binding = await _binding(work, session)
    return SignerIdentity(
        party.email if party else "",
        binding.bound_at if binding else None,
        binding.browser if binding else "",
        str(binding.id) if binding else "",
    )


async def note_opening(work: Work, signer: AgreementSignerRow, session: PublicSessionRow) -> None:
    """The first time that this mailbox's reader opens it, and how they had come in.

    What the reader of another address opened before it was corrected is no opening of this one.
    """
    who = await present_identity(work, signer.party_id, session)
    mailbox = work.keyring.address_digest(who.email)
    before = signer.evidence.get(OPENED_BY, {})
    if signer.opened_at is None or before.get("mailbox", mailbox) != mailbox:
        signer.opened_at = work.at
        kept = {name: each for name, each in who.as_evidence.items() if name in _ENTRY}
        signer.evidence = {OPENED_BY: {"mailbox": mailbox, **kept}}


def entries_of(
    signer: AgreementSignerRow, identity: SignerIdentity
) -> tuple[datetime | None, datetime | None]:
    """When the mailbox was confirmed before it was opened, and once more to sign elsewhere."""
    last, opened = identity.mailbox_confirmed_at, signer.evidence.get(OPENED_BY, {})
    first = opened.get("mailbox_confirmed_at")
    if first is None or opened["binding"] == identity.binding:
        return last, None
    return datetime.fromisoformat(first), last


async def identity_of(work: Work, signer: AgreementSignerRow) -> SignerIdentity:
    """Who signed; as it is at present for a signature from before it was kept."""
    if IDENTITY in signer.evidence:
        return SignerIdentity.of(signer.evidence[IDENTITY])
    session = await session_by_id(work.db, signer.session_id) if signer.session_id else None
    return await present_identity(work, signer.party_id, session)


async def _binding(work: Work, session: PublicSessionRow | None) -> BindingRow | None:
    if session is None or session.binding_id is None:
        return None
    return await opened_one(work.db, await work.db.get(BindingRow, session.binding_id))
