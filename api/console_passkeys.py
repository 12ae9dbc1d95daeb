"""A member's passkeys: made and removed on the account, and signed in with (ASVS 7.5.1)."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.passkey import PasskeyRefused
from api.browser import (
    PostedPairs,
    cookie_name,
    field_of,
    forget_cookie,
    keep_cookie,
    refuse_cross_site,
    see_other,
    settings_of,
)
from api.console_pages import member_page
from api.console_sign_in import ask_more, sign_in_again, signed_in_answer
from api.context import Begin
from api.errors import status_of
from api.ids import known_id
from api.member_call import (
    LONGEST_SECRET,
    ConsoleCall,
    MemberCall,
    browser_of,
    keep_member,
    signed_in,
)
from api.proof import page_afterwards, page_with_newer_secret, proof_in
from commands.member_session import SignedIn
from commands.passkey import (
    QUESTION_LIFE,
    PasskeySignIn,
    Question,
    add_passkey,
    ask_to_make,
    ask_to_sign_in,
    remove_passkey,
    sign_in_with_passkey,
)
from commands.reauthentication import after_proof, locked_member_here
from commands.work import Transactions, Work
from commands.workspace import find_workspace
from domain.browser_name import browser_and_system
from domain.member_errors import PasswordRefused, SignedOut, SignInRefused
from domain.permission import Permission
from store.passkey import PasskeyRow, passkeys_of
from store.second_factor import factor_of

router = APIRouter(
    prefix="/console/{workspace}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

NAME = "Passkeys"
QUESTION = "passkey-question"
PAGE = "/account/passkeys"


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """A passkey as its owner sees it: where it was made, and when it was used."""

    id: UUID
    browser: str
    system: str
    created_at: datetime
    used_at: datetime | None


def _own_passkey(row: PasskeyRow) -> OwnPasskey:
    return OwnPasskey(row.id, *browser_and_system(row.browser), row.created_at, row.used_at)


def _kept(request: Request) -> str:
    return request.cookies.get(cookie_name(settings_of(request), QUESTION), "")[:LONGEST_SECRET]


def _keep(request: Request, answer: Response, question: Question) -> None:
    keep_cookie(request, answer, QUESTION, question.kept, QUESTION_LIFE)


def _to(workspace: str, done: str = "") -> Response:
    query = f"?done={done}" if done else ""
    return see_other(f"/console/{workspace}{PAGE}{query}")


@router.get(PAGE, name=NAME)
async def get_passkeys(call: ConsoleCall) -> HTMLResponse:
    """What there is, and the forms that change it."""
    return await _overview(call)


async def _overview(
    call: MemberCall, refused: PasswordRefused | None = None, form: str = ""
) -> HTMLResponse:
    call.needs(Permission.ACCOUNT_OWN)
    rows = await passkeys_of(call.work.db, call.member.id)
    return member_page(
        call,
        "passkeys.html",
        status_of(refused) if refused else 200,
        passkeys=[_own_passkey(each) for each in rows],
        factor=await factor_of(call.work.db, call.member.id),
        faults=refused.faults if refused else {},
        form=form,
        done=call.request.query_params.get("done", ""),
    )


@router.post(f"{PAGE}/begin", name=NAME)
async def post_begin(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """After password and code: the page on which this browser makes a passkey."""

    async def ask(work: Work, found: SignedIn) -> Question:
        return await ask_to_make(work, await find_workspace(work, workspace), found)

    def making(call: MemberCall) -> Response:
        return member_page(call, "passkey_making.html", options=done.result.options)

    try:
        done = await after_proof(begin, await proof_in(request, workspace, posted, begin), ask)
    except PasswordRefused as refused:
        return await _refused(request, workspace, begin, refused, "begin")
    answer = await page_with_newer_secret(request, workspace, begin, done.secret, making)
    _keep(request, answer, done.result)
    return answer


async def _refused(
    request: Request, workspace: str, begin: Transactions, refused: PasswordRefused, form: str
) -> Response:
    def again(call: MemberCall) -> Awaitable[Response]:
        return _overview(call, refused, form)

    return await page_afterwards(request, workspace, begin, again)


@router.post(f"{PAGE}/add", name=NAME)
async def post_add(request: Request, workspace: str, posted: PostedPairs, begin: Begin) -> Response:
    """Keeps the passkey that this browser has made."""
    member = (await signed_in(request, begin, workspace, acting=True)).member
    browser = browser_of(request)
    try:
        async with begin.work() as work:
            found = await locked_member_here(work, member.workspace_id, browser.secret)
            if isinstance(found, SignedOut):
                raise found
            made = field_of(posted, "credential")
            await add_passkey(work, found, _kept(request), made, browser.name)
    except PasskeyRefused:
        return _to(workspace, "refused")
    answer = _to(workspace, "added")
    forget_cookie(request, answer, QUESTION)
    return answer


@router.post(f"{PAGE}/{{passkey_id}}/remove", name=NAME)
async def post_remove(
    request: Request, workspace: str, passkey_id: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Takes a passkey away, after password and code; every other session ends."""
    chosen = known_id(passkey_id, "passkey")

    async def remove(work: Work, found: SignedIn) -> None:
        await remove_passkey(work, found, chosen)

    try:
        done = await after_proof(begin, await proof_in(request, workspace, posted, begin), remove)
    except PasswordRefused as refused:
        return await _refused(request, workspace, begin, refused, str(chosen))
    answer = _to(workspace, "removed")
    keep_member(request, answer, done.secret)
    return answer


@router.get(f"{PAGE}/{{rest:path}}", name=NAME)
async def get_rest(call: ConsoleCall) -> Response:
    """The forms are on the overview: whoever comes back to their addresses is led there."""
    return _to(call.workspace.key)


@router.post("/sign-in/passkey/question")
async def post_question(request: Request, workspace: str, begin: Begin) -> Response:
    """What this browser's passkeys are asked; the same for everybody."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        question = ask_to_sign_in(work, row.id)
    answer = Response(question.options, media_type="application/json")
    _keep(request, answer, question)
    return answer


@router.post("/sign-in/passkey")
async def post_passkey(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Signs in with a passkey, and leads on as after a password and a code."""
    following, answered = field_of(posted, "next"), field_of(posted, "credential")
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        wanted = PasskeySignIn(row.id, _kept(request), answered, browser_of(request))
        begun = await sign_in_with_passkey(work, wanted)
    if isinstance(begun, SignInRefused):
        return sign_in_again(request, row, following, "passkey")
    if isinstance(begun, Exception):
        answer = ask_more(request, row, begun, following)
    else:
        answer = signed_in_answer(request, row, begun, following)
    forget_cookie(request, answer, QUESTION)
    return answer
