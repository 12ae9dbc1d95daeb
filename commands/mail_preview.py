"""A mail as it would be sent, with sample data (SH-16)."""

from datetime import timedelta

from adapters.mail_rendering import MailContent, RenderedMail, render
from commands.mail_content import MailPlace, refuse_faulty, refuse_language, wording_of
from commands.setting import effective_settings
from commands.work import Work
from domain.mail import CODES
from domain.mail_content import ALLOWED, MailText, Wording
from domain.settings import Settings
from store.workspace import WorkspaceRow, workspace_by_id

LASTS = timedelta(days=13, hours=5, minutes=30)
SAMPLE_LINK = "/example"
SAMPLE_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def preview_mail(work: Work, place: MailPlace, text: MailText | None) -> RenderedMail:
    """What somebody would read; `text` is the one that is being written, None the one that counts.

    Raises `NotFound`, or `MailContentRefused` for a text that could not be saved.
    """
    refuse_language(place)
    workspace = await workspace_by_id(work.db, place.workspace_id)
    if text is not None:
        refuse_faulty(place.kind, text)
        wording = Wording(own=text)
    else:
        wording = await wording_of(work, workspace, place.kind, place.language)
    settings = await effective_settings(work, workspace.id)
    return render(place.kind, _sample(work, workspace, place, settings), wording)


def _sample(
    work: Work, workspace: WorkspaceRow, place: MailPlace, settings: Settings
) -> MailContent:
    has_code, has_link = place.kind in CODES, "link" in ALLOWED[place.kind]
    return MailContent(
        workspace_name=workspace.name,
        contact=workspace.contact or None,
        party_name="Vera Example",
        party_email="vera@example.com",
        member_name="Anna Example",
        member_email="anna@example.com",
        session_title="Due diligence",
        subject="Order 4711",
        document_title="Supply agreement",
        public_session_id="00000000-0000-7000-8000-000000000000",
        tasks_total=4,
        tasks_done=1,
        written_at=work.at,
        expires_at=work.at + LASTS,
        happened_at=work.at,
        link=work.settings.public_url.rstrip("/") + SAMPLE_LINK if has_link else None,
        code="1" * work.settings.code_digits if has_code else None,
        code_expires_at=work.at + settings.code_life if has_code else None,
        message="We have chosen another supplier.",
        reason="This does not concern us.",
        browser=SAMPLE_BROWSER,
        locale=place.language,
    )
