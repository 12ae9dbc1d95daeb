"""Writes the rows of agreements: a version with its paper, and the signers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from commands.work import Work
from domain.actor import Actor
from domain.agreement import AgreementState
from domain.agreement_draft import Draft, DraftSigner
from domain.agreement_errors import AgreementFaulty
from domain.agreement_field import AgreementField
from domain.agreement_version import AgreementVersion
from domain.errors import Erased
from domain.fault import Fault
from domain.paper import Paper
from store.agreement import (
    AgreementRow,
    AgreementSignerRow,
    AgreementVersionRow,
    version_of,
)
from store.paper import add_paper
from store.party import party_to_name


@dataclass(frozen=True, slots=True)
class Said:
    """What a version says, besides its pages."""

    title: str
    consent: str
    fields: tuple[AgreementField, ...]


def said(draft: Draft) -> Said:
    """What a draft says."""
    return Said(draft.title, draft.consent, draft.fields)


async def add_version(
    work: Work, row: AgreementRow, content: Said, paper: Paper, actor: Actor
) -> AgreementVersionRow:
    """The next version of an agreement, which becomes its current one.

    While nobody but its authors has seen it, the version before is replaced. Raises `Erased`.
    """
    value = AgreementVersion(
        content.title, paper.sha256, paper.pages, content.fields, content.consent
    )
    version = await _version_row(work, row, actor)
    await _keep_paper(work, row, version, paper)
    version.title, version.consent = content.title, content.consent
    version.fields = [asdict(each) for each in content.fields]
    version.sha256, row.digest = value.sha256, value.sha256
    row.version = version.version
    work.db.add(version)
    await work.db.flush()
    return version


async def _version_row(work: Work, row: AgreementRow, actor: Actor) -> AgreementVersionRow:
    first = row.digest == ""
    if not first and row.state == AgreementState.DRAFT:
        version = await version_of(work.db, row.id, row.version)
        version.version += 1
        return version
    # The agreement's row goes first: versions refer to it.
    await work.db.flush()
    return AgreementVersionRow(
        workspace_id=row.workspace_id,
        agreement_id=row.id,
        owner_id=row.owner.subject_id,
        owner_kind=row.owner.kind,
        version=1 if first else row.version + 1,
        paper_sha256="",
        created_by=str(actor),
        created_at=work.at,
    )


async def _keep_paper(
    work: Work, row: AgreementRow, version: AgreementVersionRow, paper: Paper
) -> None:
    """The pages of a version; one that has them already from the version before keeps them."""
    if version.paper_sha256 == paper.sha256:
        return
    kept = await add_paper(work.db, row.owner, paper.pdf, work.at)
    if kept is None:
        raise Erased
    await work.db.flush()
    version.paper_id, version.paper_sha256 = kept.id, paper.sha256
    version.pages = list(paper.pages)


async def add_signers(
    work: Work, row: AgreementRow, signers: Sequence[DraftSigner]
) -> tuple[AgreementSignerRow, ...]:
    """The signers' rows; raises `AgreementFaulty` for a party that is not of this workspace."""
    await work.db.flush()
    rows = [await _signer_row(work, row, at, each) for at, each in enumerate(signers, 1)]
    work.db.add_all(rows)
    return tuple(rows)


async def _signer_row(
    work: Work, row: AgreementRow, position: int, signer: DraftSigner
) -> AgreementSignerRow:
    party = await party_to_name(work.db, row.workspace_id, signer.party_id)
    if party is None:
        fault = Fault(f"/signers/{position - 1}/party", "there is no such party")
        raise AgreementFaulty((fault,))
    return AgreementSignerRow(
        workspace_id=row.workspace_id,
        agreement_id=row.id,
        owner_id=row.owner.subject_id,
        owner_kind=row.owner.kind,
        position=position,
        party_id=party.id,
        signs=signer.signs,
        name=party.name,
    )


def draft_body(
    row: AgreementRow, version: AgreementVersionRow, signers: Sequence[AgreementSignerRow]
) -> dict[str, Any]:
    """The agreement as a publisher writes it, to be changed in part."""
    return {
        "title": row.title,
        "message": row.message,
        "consent": version.consent,
        "ordered": row.ordered,
        "step_up": row.step_up,
        "time_bound_days": row.time_bound_days,
        "signers": [{"party": str(each.party_id), "signs": each.signs} for each in signers],
        "fields": [_field(each) for each in version.fields],
    }


def _field(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if (name, value) != ("value", "")}
