"""Makes the one sealed document of an agreement that all have signed, and keeps it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.pdf_completion import Certified, with_completion
from adapters.pdf_filled import Value, filled
from adapters.pdf_seal import Sealed, SeenSeal, seal
from adapters.pdf_seal_box import SealBox, seal_box
from adapters.signing_certificate import SigningCertificate
from adapters.time_stamp import TimeAuthority
from commands.agreement_completion import completion_of
from commands.signing_certificate import certificate_in, certificate_of
from commands.work import Transactions, Work
from domain.agreement import NextStep
from domain.agreement_completion import AgreementCompletion
from domain.agreement_errors import NoSigningCertificate
from domain.agreement_field import MARKS, AgreementField, Mark
from domain.errors import Erased, NotFound
from store.agreement import (
    AgreementRow,
    agreement_by_id,
    agreement_value,
    signers_of,
    version_of,
)
from store.paper import add_paper, paper_pdf

PROOF_LOOKS = 6
PROOF_EVERY = 1.0
"""Seconds: a worker at work signs the log's head within two of them."""


@dataclass(frozen=True, slots=True)
class SealJob:
    """Everything that the sealed document is made of, read in one transaction."""

    pdf: bytes
    fields: tuple[AgreementField, ...]
    values: Mapping[str, Value]
    completion: AgreementCompletion
    certificate: SigningCertificate
    authority: TimeAuthority | None

    def written(self, at: datetime) -> tuple[Certified, SealBox]:
        """The document as it was signed, with its certificate of completion, and what is to be
        seen of its seal there; computes.
        """
        locale = self.completion.locale
        signed = filled(self.pdf, self.fields, self.values, locale=locale)
        box = seal_box(self.completion, self.certificate, at=at)
        return with_completion(signed, self.completion, box.height), box


async def seal_agreement(begin: Transactions, agreement: UUID, at: datetime) -> None:
    """Fills in, certifies, seals as of `at`; what goes wrong is kept on the agreement and raised.

    A worker that dies in the middle has kept nothing: there is one sealed document (N3).
    """
    try:
        job = await _job(begin, agreement, at)
        if job is not None:
            sealed = await _sealed(job, at)
            async with begin.work(begin.later(at)) as work:
                await _keep(work, agreement, sealed)
    except Exception as error:
        async with begin.work(begin.later(at)) as work:
            await _note_failure(work, agreement, type(error).__name__)
        raise


async def _job(begin: Transactions, agreement: UUID, at: datetime) -> SealJob | None:
    """What there is to seal; waits a moment for the proof of the last signature."""
    for look in range(PROOF_LOOKS):
        async with begin.work(begin.later(at)) as work:
            row = await _due(work, agreement)
            job = await _gathered(work, row, at) if row else None
        if job is None or job.completion.proof is not None or look == PROOF_LOOKS - 1:
            return job
        await asyncio.sleep(PROOF_EVERY)
    return None


async def _gathered(work: Work, row: AgreementRow, at: datetime) -> SealJob:
    version = await version_of(work.db, row.id, row.version)
    pdf = await paper_pdf(work.db, version.paper_id)
    if pdf is None:
        raise Erased
    held = await certificate_of(work, row.workspace_id)
    certificate = certificate_in(held)
    if at < certificate.not_before:
        # Of two machines' clocks ours is behind: no seal is older than what it is made with.
        raise NoSigningCertificate
    signers = await signers_of(work.db, row.id)
    entered = {key: value for each in signers for key, value in each.values.items()}
    fields = version.value.fields
    return SealJob(
        pdf=pdf,
        fields=fields,
        values=_values(fields, entered),
        completion=await completion_of(work, row, signers),
        certificate=certificate,
        authority=_authority(work, held.timestamp_url),
    )


def _authority(work: Work, url: str) -> TimeAuthority | None:
    return TimeAuthority(url, work.settings) if url else None


def _values(fields: Sequence[AgreementField], entered: Mapping[str, Any]) -> dict[str, Value]:
    return {each.key: _value(each, entered[each.key]) for each in fields if each.key in entered}


def _value(field: AgreementField, entered: Any) -> Value:
    value: Value = Mark.of(entered) if field.kind in MARKS else entered
    return value


async def _sealed(job: SealJob, at: datetime) -> Sealed:
    whole, box = await asyncio.to_thread(job.written, at)
    return await seal(
        whole.pdf,
        job.certificate,
        reason=job.completion.title,
        at=at,
        authority=job.authority,
        seen=SeenSeal(box, whole.place),
    )


async def _due(work: Work, agreement: UUID, *, lock: bool = False) -> AgreementRow | None:
    row = await agreement_by_id(work.db, agreement, lock=lock)
    if row is None:
        raise NotFound("agreement")
    value = agreement_value(row, await signers_of(work.db, row.id))
    is_sealed = row.sealed_paper_id is not None
    return row if value.next_step(is_sealed=is_sealed) == NextStep.SEAL else None


async def _keep(work: Work, agreement: UUID, made: Sealed) -> None:
    """The first one counts: a second worker's is thrown away."""
    row = await _due(work, agreement, lock=True)
    if row is None:
        return
    paper = await add_paper(work.db, row.owner, made.pdf, work.at)
    if paper is None:
        raise Erased
    await work.db.flush()
    row.sealed_paper_id, row.sealed_sha256 = paper.id, made.sha256
    row.sealed_level, row.seal_error = made.level, ""


async def _note_failure(work: Work, agreement: UUID, cause: str) -> None:
    row = await _due(work, agreement, lock=True)
    if row is not None:
        row.seal_failures += 1
        row.seal_error = cause
