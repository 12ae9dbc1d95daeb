"""The editor of an agreement as a page: its form, its pages, what is unsaved or refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi.responses import HTMLResponse

from adapters.languages import translations_for
from api.agreement_form import DraftForm, FieldRow, form_of
from api.agreement_signers import suggested
from api.agreement_window import members_exit
from api.console_agreements import new_window
from api.console_pages import member_page
from api.errors import status_of
from api.ids import id_in
from api.member_call import MemberCall
from api.party_pages import language_of
from commands.agreement import Whole
from commands.agreement_readers import reading_now
from commands.agreement_write import draft_body
from domain.agreement import AgreementState
from domain.agreement_draft import MOST_FIELDS, MOST_SIGNERS
from domain.agreement_errors import AgreementFaulty
from domain.agreement_field import FieldKind
from domain.agreement_unsaved import Difference, applied, differences
from domain.errors import DomainError
from domain.left_behind import LeftBehind
from domain.window import Place, beat_ms
from store.editing_session import EditingSessionRow
from store.member import member_by_id
from store.party import party_names


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows besides what is saved; `form` is None for what is saved itself.

    `page` is what the page calls itself: what it has put away is its own to take back. "" is a new
    one.
    """

    form: DraftForm | None = None
    base: Mapping[str, Any] | None = None
    refused: DomainError | None = None
    sides: tuple[Difference, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    done: str = ""
    uses_left: str = ""
    page: str = ""
    new_signer: str = ""


async def editor_page(
    call: MemberCall, whole: Whole, row: EditingSessionRow, place: Place, shown: Shown
) -> HTMLResponse:
    """The editor in the window that has the place."""
    saved = draft_body(whole.row, whole.version, whole.signers)
    form = shown.form or form_of(saved)
    base = shown.base if shown.base is not None else saved
    return member_page(
        call,
        "agreement_edit.html",
        status_of(shown.refused) if shown.refused else 200,
        agreement=whole.row,
        version=whole.version,
        form=form,
        base=json.dumps(base, ensure_ascii=False, separators=(",", ":")),
        place=place,
        beat_ms=beat_ms(call.work.settings.window_alive),
        page=shown.page or new_window(),
        shown=shown,
        kinds=list(FieldKind),
        parties=await suggested(call),
        names=await _names(call, whole, form),
        left=[await _left(call, each, saved) for each in row.drafts],
        blank=FieldRow(required=True),
        readers=await reading_now(call.work, whole),
        is_draft=whole.row.state == AgreementState.DRAFT,
        most_fields=MOST_FIELDS,
        most_signers=MOST_SIGNERS,
        exit_url=await members_exit(call),
    )


async def _names(call: MemberCall, whole: Whole, form: DraftForm) -> dict[str, str]:
    """How the signers are called, by their parties' ids, in the order of the form."""
    known = {str(each.party_id): each.name for each in whole.signers}
    wanted = [each.party for each in form.signers]
    asked = [UUID(each) for each in wanted if id_in(each)]
    rows = await party_names(call.work.db, whole.row.workspace_id, asked)
    found = {str(party): name for party, name in rows.items()} | known
    return {each: found.get(each, "?") for each in wanted}


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """What one window had not saved, and whose it is (N8)."""

    id: str
    who: str
    is_mine: bool
    kept_at: datetime | None
    sides: tuple[Difference, ...]


async def _left(call: MemberCall, draft: LeftBehind, saved: Mapping[str, Any]) -> ShownDraft:
    sides = differences(applied(saved, draft.content), saved)
    known = UUID(draft.member) if draft.member else None
    member = await member_by_id(call.work.db, call.workspace_id, known) if known else None
    is_mine = member is not None and member.id == call.member.id
    kept_at = datetime.fromisoformat(draft.at) if draft.at else None
    return ShownDraft(draft.id, member.name if member else "", is_mine, kept_at, sides)


def with_left_behind(draft: LeftBehind, saved: Mapping[str, Any]) -> DraftForm:
    """What is saved, with one draft upon it: shown, and saved by whoever wants to."""
    return form_of(applied(saved, draft.content))


def beside_saved(
    typed: Mapping[str, Any], saved: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[DraftForm, tuple[Difference, ...]]:
    """The form after somebody else saved: what was typed stays, beside what is there now."""
    return form_of(applied(saved, changes)), differences(typed, saved)


def faults_in_words(call: MemberCall, refused: AgreementFaulty) -> dict[str, str]:
    """Each fault at its place, as `title`, or `field.3.label`; in the member's language."""
    _ = translations_for(language_of(call.request, call.member.locale)).gettext
    place = _("It must lie on the page: from 0 to 100 percent, and no smaller than 0.5.")
    words = {
        "title": _("Enter a title of at most 200 characters."),
        "message": _("At most 2000 characters."),
        "consent": _("Say in at most 2000 characters what the signers agree to."),
        "time_bound_days": _("Enter a number of days from 1 to 366."),
        "label": _("Say what this field is, in at most 120 characters."),
        "page": _("There is no such page."),
        "signer": _("Choose who fills it in. A signature is for somebody who signs."),
        "value": _("Enter what the company fills in here."),
        "signature": _("Each signer needs a signature field that must be filled in."),
        "signers": _("Choose up to ten signers, each once."),
        "fields": _("Each field once, and at most 200 of them."),
        **dict.fromkeys(("x", "y", "width", "height"), place),
    }
    other = _("This is not possible.")
    found = {}
    for each in refused.faults:
        noun, *rest = each.pointer.strip("/").split("/")
        where = ".".join([noun.removesuffix("s") if rest else noun, *rest])
        found[where] = words.get(rest[-1] if len(rest) > 1 else noun, other)
    return found
