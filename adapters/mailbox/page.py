"""The mailbox's pages and its JSON."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.mailbox.folder import MailFolder, headers_of

_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# A mail is a stranger's document: no scripts, no forms, no origin. Its links open a new tab.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)

router = APIRouter()


def create_page(folder: MailFolder) -> FastAPI:
    """The mailbox's web application."""
    page = FastAPI(
        title="Mailbox",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(_from_this_machine)],
    )
    page.state.folder = folder
    page.include_router(router)
    return page


def _from_this_machine(request: Request) -> None:
    """Refuse other sites: by the name they reached us under, and for posts by their origin."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    origin = request.headers.get("origin")
    if host not in _HOSTS:
        raise HTTPException(421)
    if request.method == "POST" and origin not in {None, f"http://{request.headers['host']}"}:
        raise HTTPException(403)


def _folder(request: Request) -> MailFolder:
    folder = request.app.state.folder
    assert isinstance(folder, MailFolder)  # noqa: S101 - set by create_page; for the types
    return folder


Folder = Annotated[MailFolder, Depends(_folder)]


@router.get("/messages.json")
def messages(folder: Folder, to: str | None = None) -> list[dict[str, object]]:
    """The mails, newest first; only those to one address when it is given."""
    return [mail.as_json() for mail in folder.mails(to)]


@router.get("/")
def inbox(folder: Folder, to: str | None = None) -> HTMLResponse:
    """The list of mails."""
    return _page("inbox.html", mails=folder.mails(to or None), to=to or "")


@router.get("/messages/{mail_id}")
def one_mail(folder: Folder, mail_id: str) -> HTMLResponse:
    """One mail: as it looks, as text, its headers."""
    try:
        message = folder.message(mail_id)
    except KeyError:
        raise HTTPException(404) from None
    return _page("mail.html", mail=folder.mail(mail_id), headers=list(headers_of(message)))


@router.get("/messages/{mail_id}/html")
def html_part(folder: Folder, mail_id: str) -> HTMLResponse:
    """The HTML part alone, for the sandboxed frame."""
    try:
        html = folder.mail(mail_id).html
    except KeyError:
        raise HTTPException(404) from None
    return _html('<base target="_blank">' + html, _MAIL_POLICY, referrer="no-referrer")


@router.post("/clear")
def clear(folder: Folder) -> Response:
    """Delete every mail."""
    folder.clear()
    return RedirectResponse("/", status_code=303)


def _page(template: str, **values: object) -> HTMLResponse:
    return _html(_TEMPLATES.get_template(template).render(values), _PAGE_POLICY)


def _html(content: str, content_policy: str, *, referrer: str = "same-origin") -> HTMLResponse:
    # Under "no-referrer" a browser posts the page's own form with `Origin: null`.
    headers = {
        "Content-Security-Policy": content_policy,
        "Referrer-Policy": referrer,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(content, headers=headers)
