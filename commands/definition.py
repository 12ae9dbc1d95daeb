"""Saves definitions as versions: forms, documents, lifecycles and session templates.

Saving what is saved already makes no version. Every change keeps before and after in the audit.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from adapters import form_check
from commands.agreement_paper import paper_of_document
from commands.signing_certificate import certificate_of
from commands.work import Work
from domain import document as documents
from domain import lifecycle as lifecycles
from domain import session_template as templates
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.definition import DefinitionKind, DefinitionStatus, Reader
from domain.errors import (
    DefinitionExists,
    DefinitionFaulty,
    NotFound,
    TemplateStateRefused,
)
from domain.fault import Fault
from domain.signature_request import refuse_reserved
from domain.task import TaskKind
from store.definition import (
    DefinitionRow,
    definition_versions,
    latest_definition,
    latest_definitions,
    lock_definitions,
)
from store.party import states_in_use

SIGNATURE = TaskKind.SIGNATURE.value
SAVED = {
    DefinitionKind.FORM: AuditEvent.FORM_SAVED,
    DefinitionKind.DOCUMENT: AuditEvent.DOCUMENT_SAVED,
    DefinitionKind.LIFECYCLE: AuditEvent.LIFECYCLE_SAVED,
    DefinitionKind.TEMPLATE: AuditEvent.TEMPLATE_SAVED,
}


@dataclass(frozen=True, slots=True)
class SaveDefinition:
    """A definition's whole body under its key, by whom."""

    workspace_id: UUID
    key: str
    body: Mapping[str, Any]
    actor: Actor


async def save_form(work: Work, wanted: SaveDefinition) -> DefinitionRow:
    """A new version of a form, published at once; raises `DefinitionFaulty`."""
    _refuse(DefinitionKind.FORM, _key_faults(wanted.key) + form_check.faults_of(wanted.body))
    return await _save(work, wanted, DefinitionKind.FORM, DefinitionStatus.PUBLISHED)


async def save_document(work: Work, wanted: SaveDefinition) -> DefinitionRow:
    """A new version of a document, published at once; raises `DefinitionFaulty`."""
    _refuse(DefinitionKind.DOCUMENT, _key_faults(wanted.key) + documents.faults_of(wanted.body))
    return await _save(work, wanted, DefinitionKind.DOCUMENT, DefinitionStatus.PUBLISHED)


async def save_lifecycle(work: Work, wanted: SaveDefinition) -> DefinitionRow:
    """A new version of a party kind's lifecycle; raises `DefinitionFaulty`."""
    rows = await latest_definitions(work.db, wanted.workspace_id, DefinitionKind.TEMPLATE)
    values = [templates.SessionTemplate.of(each.body) for each in rows if each.status != "retired"]
    known = lifecycles.Known(
        {each.key: each.trigger for each in values},
        {each.key: each.scope.party_kinds for each in values},
    )
    body = {"transitions": [], "completions": []} | dict(wanted.body) | {"kind": wanted.key}
    faults = lifecycles.faults_of(body, known)
    _refuse(DefinitionKind.LIFECYCLE, faults or await _lost_states(work, wanted, body))
    full = SaveDefinition(wanted.workspace_id, wanted.key, body, wanted.actor)
    return await _save(work, full, DefinitionKind.LIFECYCLE, DefinitionStatus.PUBLISHED)


async def _lost_states(
    work: Work, wanted: SaveDefinition, body: Mapping[str, Any]
) -> tuple[Fault, ...]:
    """Parties must not be left in a state that the new version no longer has."""
    kept = {each["key"] for each in body["states"]} | {""}
    used = await states_in_use(work.db, wanted.workspace_id, wanted.key)
    lost = sorted(set(used) - kept)
    return tuple(Fault("/states", f"parties are in the state {each!r}, keep it") for each in lost)


async def create_template(work: Work, wanted: SaveDefinition) -> DefinitionRow:
    """The first draft of a template.

    Raises `DefinitionExists`, `DefinitionFaulty` or `TemplateReserved`.
    """
    refuse_reserved(wanted.key)
    await lock_definitions(work.db, wanted.workspace_id, DefinitionKind.TEMPLATE)
    if await latest_definition(work.db, wanted.workspace_id, DefinitionKind.TEMPLATE, wanted.key):
        raise DefinitionExists("session template", wanted.key)
    return await save_template(work, wanted)


async def save_template(work: Work, wanted: SaveDefinition) -> DefinitionRow:
    """Changes the draft, or begins a new one after the published version (PS-7, PS-35)."""
    refuse_reserved(wanted.key)
    bound = {"time_bound_days": work.settings.template_time_bound.days}  # PS-5
    body = bound | dict(wanted.body) | {"key": wanted.key}
    referable = templates.Referable(
        await _keys(work, wanted.workspace_id, DefinitionKind.FORM),
        await _keys(work, wanted.workspace_id, DefinitionKind.DOCUMENT),
    )
    _refuse(DefinitionKind.TEMPLATE, templates.faults_of(body, referable))
    full = SaveDefinition(wanted.workspace_id, wanted.key, body, wanted.actor)
    return await _save(work, full, DefinitionKind.TEMPLATE, DefinitionStatus.DRAFT)


async def change_template(
    work: Work, workspace_id: UUID, key: str, changes: Mapping[str, Any], actor: Actor
) -> DefinitionRow:
    """Saves the newest version with some members replaced; raises `NotFound`."""
    await lock_definitions(work.db, workspace_id, DefinitionKind.TEMPLATE)
    row = await template_by_key(work, workspace_id, key)
    return await save_template(
        work, SaveDefinition(workspace_id, key, _without_pins(row.body) | dict(changes), actor)
    )


async def publish_template(work: Work, workspace_id: UUID, key: str, actor: Actor) -> DefinitionRow:
    """Freezes the draft with the form and document versions it will always use (PS-35, PS-41)."""
    refuse_reserved(key)
    await lock_definitions(work.db, workspace_id, DefinitionKind.TEMPLATE)
    row = await template_by_key(work, workspace_id, key)
    if row.status != DefinitionStatus.DRAFT:
        raise TemplateStateRefused(key, row.status, "publish")
    before = row.body
    await _check_signatures(work, workspace_id, before["tasks"])
    row.body = before | {"tasks": await pinned_tasks(work, workspace_id, before["tasks"])}
    row.digest = _digest(row.body)
    row.status, row.published_at = DefinitionStatus.PUBLISHED, work.at
    _audit(work, AuditEvent.TEMPLATE_PUBLISHED, row, actor, {"before": before, "after": row.body})
    return row


async def _check_signatures(
    work: Work, workspace_id: UUID, tasks: Sequence[Mapping[str, Any]]
) -> None:
    """A signature task is published with something to seal with, on pages that are there (PS-43).

    Raises `NoSigningCertificate` or `DefinitionFaulty`.
    """
    signatures = [(at, each) for at, each in enumerate(tasks) if each["kind"] == SIGNATURE]
    if signatures:
        await certificate_of(work, workspace_id)
    faults: list[Fault] = []
    for at, task in signatures:
        row = await definition_by_key(work, workspace_id, DefinitionKind.DOCUMENT, task["document"])
        paper, _ = await paper_of_document(documents.Document.of(row.body), signers=1)
        for place, field in enumerate(task.get("fields", ())):
            if field["page"] > len(paper.pages):
                words = f"is beyond the document's {len(paper.pages)} page(s)"
                faults.append(Fault(f"/tasks/{at}/fields/{place}/page", words))
    _refuse(DefinitionKind.TEMPLATE, tuple(faults))


async def retire_template(work: Work, workspace_id: UUID, key: str, actor: Actor) -> DefinitionRow:
    """Issues to nobody from now on; running sessions go on (PS-35)."""
    refuse_reserved(key)
    await lock_definitions(work.db, workspace_id, DefinitionKind.TEMPLATE)
    row = await template_by_key(work, workspace_id, key)
    if row.status == DefinitionStatus.RETIRED:
        raise TemplateStateRefused(key, row.status, "retire")
    before = row.status
    for each in await definition_versions(work.db, workspace_id, DefinitionKind.TEMPLATE, key):
        each.status = DefinitionStatus.RETIRED
    _audit(work, AuditEvent.TEMPLATE_RETIRED, row, actor, {"before": before, "after": row.status})
    return row


async def template_by_key(work: Work, workspace_id: UUID, key: str) -> DefinitionRow:
    """The newest version of a template; raises `NotFound`."""
    return await definition_by_key(work, workspace_id, DefinitionKind.TEMPLATE, key)


async def definition_by_key(
    work: Work, workspace_id: UUID, kind: DefinitionKind, key: str
) -> DefinitionRow:
    """The newest version of a definition; raises `NotFound`."""
    row = await latest_definition(work.db, workspace_id, kind, key)
    if row is None:
        raise NotFound(kind.replace("_", " "))
    return row


async def pinned_tasks(
    work: Work, workspace_id: UUID, tasks: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The tasks with the newest form and document versions written in, where none is yet."""
    pinned = []
    for task in tasks:
        versions = {}
        for kind in (DefinitionKind.FORM, DefinitionKind.DOCUMENT):
            named = task.get(kind.value)
            if named and f"{kind}_version" not in task:
                row = await definition_by_key(work, workspace_id, kind, named)
                versions[f"{kind}_version"] = row.version
        pinned.append(task | versions)
    return pinned


async def _keys(work: Work, workspace_id: UUID, kind: DefinitionKind) -> set[str]:
    return {each.key for each in await latest_definitions(work.db, workspace_id, kind)}


def _key_faults(key: str) -> tuple[Fault, ...]:
    read = Reader()
    read.key({"key": key}, "key", "")
    return tuple(read.faults)


def _refuse(kind: DefinitionKind, faults: tuple[Fault, ...]) -> None:
    if faults:
        raise DefinitionFaulty(kind.replace("_", " "), faults)


async def _save(
    work: Work, wanted: SaveDefinition, kind: DefinitionKind, status: DefinitionStatus
) -> DefinitionRow:
    await lock_definitions(work.db, wanted.workspace_id, kind)
    before = await latest_definition(work.db, wanted.workspace_id, kind, wanted.key)
    body = _without_pins(wanted.body)
    if before is not None and await _is_same(work, before, body):
        return before
    row = _changed_draft(before, body) or DefinitionRow(
        workspace_id=wanted.workspace_id,
        kind=kind,
        key=wanted.key,
        version=before.version + 1 if before else 1,
        status=status,
        body=body,
        digest=_digest(body),
        created_at=work.at,
    )
    details = {"before": before.body if before else None, "after": body}
    work.db.add(row)
    _audit(work, SAVED[kind], row, wanted.actor, details)
    return row


async def _is_same(work: Work, before: DefinitionRow, body: dict[str, Any]) -> bool:
    """Whether saving would change nothing: a published template also pins what is newest now."""
    if before.status == DefinitionStatus.PUBLISHED and "tasks" in body:
        tasks = await pinned_tasks(work, before.workspace_id, body["tasks"])
        return _digest(before.body) == _digest(body | {"tasks": tasks})
    return before.status != DefinitionStatus.RETIRED and _digest(before.body) == _digest(body)


def _changed_draft(before: DefinitionRow | None, body: dict[str, Any]) -> DefinitionRow | None:
    """The unpublished version, changed in place; None if a new version is due."""
    if before is None or before.status != DefinitionStatus.DRAFT:
        return None
    before.body, before.digest = body, _digest(body)
    return before


PINS: tuple[str, ...] = ("form_version", "document_version")


def _without_pins(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as an author writes it; pins are written at publishing only."""
    if "tasks" not in body:
        return dict(body)
    unpinned: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda task: {  # noqa: E731
        name: value for name, value in task.items() if name not in PINS
    }
    return dict(body) | {"tasks": [unpinned(task) for task in body["tasks"]]}


def _digest(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _audit(
    work: Work, event: AuditEvent, row: DefinitionRow, actor: Actor, details: Mapping[str, Any]
) -> None:
    subject = f"{row.kind}:{row.key}"
    work.audit_subject(
        event, row.workspace_id, subject, actor, {"version": row.version} | dict(details)
    )
