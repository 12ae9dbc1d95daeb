"""`/api/v1/token`: tokens for a member's program, in the form of OAuth (SH-9, SH-10, SX-14).

Refusals have the form of RFC 6749 5.2, because clients know it; everything else is a problem.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from api.context import Begin
from api.errors import OF_EVERY_ROUTE
from api.problem import documented
from api.shapes.token import TokenError, TokenRevoked, TokensShape, TokenWanted
from commands.member_token import refresh_tokens, revoke_tokens
from commands.program_sign_in import ProgramSignIn, sign_in_program
from commands.work import Transactions
from domain.errors import DomainError
from domain.member_errors import (
    SecondFactorAsked,
    SessionLimitReached,
    SignInRefused,
    TokenRefused,
)
from domain.member_token import Tokens

router = APIRouter(prefix="/api/v1/token", tags=["token"])

REFUSED = 400
GRANT = (SignInRefused, SecondFactorAsked, SessionLimitReached, TokenRefused)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    each.status: documented([each]) for each in OF_EVERY_ROUTE if each.status != REFUSED
}
OAUTH: dict[int | str, dict[str, Any]] = {
    REFUSED: {"model": TokenError, "description": "Refused, as RFC 6749 5.2 tells it"}
}


@router.post("", response_model=TokensShape, responses=PROBLEMS | OAUTH)
async def post_token(
    request: Request, begin: Begin, wanted: Annotated[TokenWanted, Form()]
) -> TokensShape | Response:
    """Signs a member's program in, or exchanges its refresh token for the next pair.

    A session of its own begins, under the limits of every sign-in. A refresh token is good once:
    used again later than 10 s it ends the session, for somebody else may have it.
    """
    if fault := _fault(wanted):
        return fault
    try:
        return TokensShape.of(await _tokens(request, begin, wanted))
    except GRANT as refusal:
        return _told("invalid_grant", str(refusal))


def _fault(wanted: TokenWanted) -> Response | None:
    needed = {
        "password": ("workspace", "username", "password"),
        "refresh_token": ("refresh_token",),
    }
    if wanted.grant_type not in needed:
        return _told("unsupported_grant_type", "grant_type must be password or refresh_token.")
    missing = [each for each in needed[wanted.grant_type] if not getattr(wanted, each)]
    return _told("invalid_request", f"Missing: {', '.join(missing)}.") if missing else None


def _told(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, REFUSED)


async def _tokens(request: Request, begin: Transactions, wanted: TokenWanted) -> Tokens:
    if wanted.grant_type == "password":
        name = wanted.client_id or request.headers.get("user-agent", "")
        typed = ProgramSignIn(wanted.workspace, wanted.username, wanted.password, name, wanted.otp)
        return await sign_in_program(begin, typed)
    async with begin.work() as work:
        found = await refresh_tokens(work, wanted.refresh_token)
    if isinstance(found, DomainError):
        raise found
    return found


@router.post("/revoke", response_class=Response, responses=PROBLEMS)
async def post_revoke(begin: Begin, wanted: Annotated[TokenRevoked, Form()]) -> Response:
    """Ends the session of a token at once, and no other (SX-14); the same for unknown tokens."""
    async with begin.work() as work:
        await revoke_tokens(work, wanted.token)
    return Response(status_code=200)
