"""The agreement behind a signature task: the one it was asked for, or one of the session's own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from commands.agreement_paper import paper_of_document
from commands.agreement_write import Said, add_version
from commands.work import Work
from domain.actor import WORKFLOW
from domain.agreement import AgreementState
from domain.agreement_field import AgreementField
from domain.definition import DefinitionKind
from domain.document import Document
from domain.errors import NotFound
from domain.task import TaskKind
from store.agreement import AgreementRow, AgreementSignerRow
from store.columns import new_id
from store.definition import definition_version
from store.party import PartyRow
from store.public_session import PublicSessionRow, TaskRow

SOLE_SIGNER = 1


async def give_agreements(
    work: Work,
    session: PublicSessionRow,
    party: PartyRow,
    tasks: Sequence[tuple[TaskRow, Mapping[str, Any]]],
) -> None:
    """Each signature task of a new session gets an agreement of its own, sent already (PS-10)."""
    for task, definition in tasks:
        if task.kind == TaskKind.SIGNATURE:
            session.signs = True
            task.agreement_id = await _agreement_of_task(work, session, party, task, definition)
            task.signer = SOLE_SIGNER


async def _agreement_of_task(
    work: Work,
    session: PublicSessionRow,
    party: PartyRow,
    task: TaskRow,
    definition: Mapping[str, Any],
) -> Any:
    document = await _document(work, session, task)
    paper, placed = await paper_of_document(document, signers=1)
    fields = tuple(map(AgreementField.of, definition.get("fields", ()))) or placed
    row = AgreementRow(
        id=new_id(),
        workspace_id=session.workspace_id,
        session_id=session.id,
        state=AgreementState.SENT,
        digest="",
        step_up=definition.get("step_up", False),
        created_by=session.issued_by,
        created_at=work.at,
        sent_at=work.at,
        title=document.title,
        notify_email=session.notify_email,
    )
    work.db.add(row)
    within = tuple(replace(each, page=min(each.page, len(paper.pages))) for each in fields)
    content = Said(document.title, task.statement or "", within)
    await add_version(work, row, content, paper, WORKFLOW)
    work.db.add(_signer(row, session, party))
    return row.id


def _signer(row: AgreementRow, session: PublicSessionRow, party: PartyRow) -> AgreementSignerRow:
    return AgreementSignerRow(
        workspace_id=row.workspace_id,
        agreement_id=row.id,
        owner_id=row.owner.subject_id,
        owner_kind=row.owner.kind,
        position=SOLE_SIGNER,
        party_id=party.id,
        session_id=session.id,
        name=party.name,
    )


async def _document(work: Work, session: PublicSessionRow, task: TaskRow) -> Document:
    row = await definition_version(
        work.db,
        session.workspace_id,
        DefinitionKind.DOCUMENT,
        task.document_key or "",
        task.document_version or 0,
    )
    if row is None:
        raise NotFound("document")
    return Document.of(row.body)
