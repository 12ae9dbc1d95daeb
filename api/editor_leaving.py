"""How an editor's window is left: to send what it has saved, saying good-bye first (SX-6)."""

from dataclasses import replace

from fastapi import Response

from adapters.languages import translations_for
from api.agreement_form import body_of
from api.browser import see_other
from api.console_agreements import PATH
from api.console_pages import office_of
from api.editor_page import Shown, editor_page
from api.member_call import MemberCall
from api.party_pages import language_of
from commands.agreement import Whole
from commands.agreement_write import draft_body
from commands.attempt import attempt
from commands.editing_session import Editor, hear_editor, put_away
from domain.agreement_errors import AgreementFaulty
from domain.agreement_unsaved import unsaved
from domain.window import Place
from store.editing_session import EditingSessionRow


async def leave_to_send(
    call: MemberCall, editor: Editor, place: Place, at: tuple[Whole, EditingSessionRow, Shown]
) -> Response:
    """The window closes and leads to what will be sent, which it therefore does not stop itself.

    While something is not saved it stays, and says so. Raises `WindowLost`.
    """
    whole, row, shown = at
    assert shown.form is not None  # noqa: S101 - it was posted
    base = shown.base or draft_body(whole.row, whole.version, whole.signers)
    if shown.uses_left or unsaved(base, body_of(shown.form)):
        _ = translations_for(language_of(call.request, call.member.locale)).gettext
        faults = {"save": _("Save it first: what is not saved is not sent.")}
        page = replace(shown, refused=AgreementFaulty(()), faults=faults)
        return await editor_page(call, whole, row, place, page)
    async with attempt(call.work):
        await put_away(call.work, editor, place, shown.page, {})
        await hear_editor(call.work, editor, place, leaving=True)
    return see_other(f"{office_of(call.workspace).base}{PATH}/{editor.agreement_id}/send")
