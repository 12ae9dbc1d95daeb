"""Agreements as the API shows them; what it takes is a draft, documented in `agreement_body`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from api.shapes.field import Rationale, Shown, Wanted
from commands.agreement_signer import SignerProgress
from commands.editing_session import Present
from domain.agreement import AgreementState
from domain.agreement_field import FieldKind
from domain.agreement_signer import SignerState
from domain.mail import MailState
from store.agreement import AgreementRow, AgreementVersionRow

SEALED, PENDING, FAILING, NOT_YET = "sealed", "pending", "failing", "not_yet"
BLOCKED = "blocked"


class SentVersion(Wanted):
    """Which version is sent: what its sender has seen (EX-20)."""

    version: int
    sha256: Annotated[str, StringConstraints(max_length=64)]


class Cancellation(Wanted):
    """Why it is cancelled; its signers are not told the reason."""

    rationale: Rationale


class SignerShape(Shown):
    """One signer, and how far it has come."""

    party: UUID
    name: str
    position: int
    signs: bool
    state: SignerState = Field(description="What became of asking it, at the time of the answer")
    public_session: UUID | None
    expires_at: datetime | None = Field(description="Until when it can sign, once it was asked")
    mail_state: MailState | None = Field(description="Of the last mail to it that mattered")
    mail_detail: str = Field(description="Why that mail did not arrive")
    decline_reason: str = Field(description="Its own words, if it declined")
    opened_at: datetime | None
    signed_at: datetime | None
    signed_version: int | None

    @classmethod
    def of(cls, found: SignerProgress) -> Self:
        """The shape of a signer with the public session it was asked through."""
        row, session = found.row, found.session
        return cls.showing(
            row,
            party=row.party_id,
            state=found.state,
            public_session=row.session_id,
            expires_at=session.expires_at if session else None,
            mail_state=session.mail_state if session else None,
            mail_detail=found.mail_detail,
            decline_reason=found.decline_reason,
        )


class FieldShape(Shown):
    """One field, by fractions of its page."""

    key: str
    kind: FieldKind
    signer: int | None
    label: str
    page: int
    x: float
    y: float
    width: float
    height: float
    required: bool
    value: str


class SealingShape(Shown):
    """The one document that all have signed: how far its sealing is, and why it waits (N10)."""

    state: str = Field(
        description="`not_yet`, `blocked` (whoever is next cannot be asked), `pending`, `failing` "
        "or `sealed`"
    )
    failures: int
    error: str
    level: str
    sha256: str

    @classmethod
    def of(cls, row: AgreementRow) -> Self:
        """How far an agreement's seal is."""
        return cls(
            state=_sealing(row),
            failures=row.seal_failures,
            error=row.seal_error,
            level=row.sealed_level,
            sha256=row.sealed_sha256,
        )


def _sealing(row: AgreementRow) -> str:
    if row.sealed_paper_id is not None:
        return SEALED
    if row.state == AgreementState.CANCELLED:
        return NOT_YET
    if row.signed_at is None:
        return BLOCKED if row.seal_error else NOT_YET
    return FAILING if row.seal_error else PENDING


class EditorShape(Shown):
    """The member who is in its editor at this moment (EX-15)."""

    member: UUID
    name: str
    since: datetime


class AgreementShape(Shown):
    """An agreement (EX-23); `version` and `sha256` are what a change names."""

    id: UUID
    state: AgreementState
    version: int
    sha256: str
    title: str
    ordered: bool
    step_up: bool
    time_bound_days: int
    public_session: UUID | None = Field(description="Of the task it came with, if with one")
    created_by: str
    created_at: datetime
    sent_at: datetime | None
    signed_at: datetime | None
    ended_at: datetime | None
    erased_at: datetime | None = Field(description="When it was erased; nothing of it is left")
    sealing: SealingShape

    @classmethod
    def of(cls, row: AgreementRow, **others: Any) -> Self:
        """The shape of a row."""
        known = {"sha256": row.digest, "public_session": row.session_id}
        return cls.showing(row, sealing=SealingShape.of(row), **known, **others)


class AgreementDetail(AgreementShape):
    """An agreement with its content, its signers, and who is in its editor."""

    message: str
    consent: str
    rationale: str
    signers: list[SignerShape]
    fields: list[FieldShape]
    pages: int
    document_sha256: str
    editor: EditorShape | None

    @classmethod
    def whole(
        cls,
        row: AgreementRow,
        version: AgreementVersionRow,
        signers: Sequence[SignerProgress],
        editor: Present | None,
    ) -> Self:
        """The shape of everything that belongs to it."""
        return cls.of(
            row,
            consent=version.consent,
            signers=[SignerShape.of(each) for each in signers],
            fields=[FieldShape(**each) for each in version.fields],
            pages=len(version.pages),
            document_sha256=version.paper_sha256,
            editor=_editor(editor),
        )


def _editor(found: Present | None) -> EditorShape | None:
    if found is None:
        return None
    return EditorShape(member=found.member_id, name=found.name, since=found.since)


class VersionShape(Shown):
    """One version that was, or is, with the signers."""

    version: int
    sha256: str
    title: str
    pages: int
    document_sha256: str
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: AgreementVersionRow) -> Self:
        """The shape of a version's row."""
        return cls.showing(row, pages=len(row.pages), document_sha256=row.paper_sha256)
