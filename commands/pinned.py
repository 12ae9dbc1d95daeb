"""What a task was issued with: a form or document version, which never changes (PS-35)."""

from collections import OrderedDict
from uuid import UUID

from commands.work import Work
from domain.definition import DefinitionKind
from domain.errors import NotFound
from domain.form import Form
from store.definition import DefinitionRow, definition_version
from store.public_session import PublicSessionRow, TaskRow

MOST_FORMS_KEPT = 500

_forms: OrderedDict[tuple[UUID, str, int], Form] = OrderedDict()
"""Published versions are frozen, so that a process may keep those it has read."""


async def pinned_form(work: Work, workspace_id: UUID, task: TaskRow) -> Form:
    """The form version a task was issued with; raises `NotFound`."""
    place = (workspace_id, task.form_key or "", task.form_version or 0)
    if place not in _forms:
        row = await definition_version(work.db, workspace_id, DefinitionKind.FORM, *place[1:])
        if row is None:
            raise NotFound("form")
        _forms[place] = Form.of(row.body)
        if len(_forms) > MOST_FORMS_KEPT:
            _forms.popitem(last=False)
    return _forms[place]


async def pinned_document(
    work: Work, session: PublicSessionRow, task: TaskRow
) -> DefinitionRow | None:
    """The document version a task was issued with, if it has one; raises `NotFound`."""
    if task.document_key is None:
        return None
    row = await definition_version(
        work.db,
        session.workspace_id,
        DefinitionKind.DOCUMENT,
        task.document_key,
        task.document_version or 0,
    )
    if row is None:
        raise NotFound("document")
    return row
