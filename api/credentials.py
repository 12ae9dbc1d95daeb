"""What a program shows of itself: a bearer token (RFC 6750), or a member's password (RFC 7617)."""

import base64
import binascii

from fastapi import Request

from api.context import Begin
from commands.basic_sign_in import BasicClient, acquire_basic
from commands.member_session import LONGEST_BROWSER
from domain.errors import Unauthenticated

BEARER, BASIC = "bearer", "basic"
LONGEST = 1000


def bearer_of(request: Request) -> str:
    """The token that came with a request; raises `Unauthenticated` where none did."""
    scheme, shown = _scheme(request)
    if scheme != BEARER:
        raise Unauthenticated
    return shown


def _scheme(request: Request) -> tuple[str, str]:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    return scheme.lower(), rest.strip()


async def shown_by(request: Request, begin: Begin) -> str | BasicClient:
    """A bearer token, or a Basic client that has a session now; raises `Unauthenticated`."""
    scheme, shown = _scheme(request)
    if scheme != BASIC:
        return bearer_of(request)
    client = read_basic(shown, request.headers.get("user-agent", ""))
    await acquire_basic(begin, client)
    return client


def read_basic(text: str, name: str) -> BasicClient:
    """The client in `base64(workspace/address:password)`; raises `Unauthenticated` for junk.

    The workspace is part of the user's name because the API's addresses name none. Its key has no
    slash and an address no colon, so that each ends where it seems to.
    """
    try:
        decoded = base64.b64decode(text[:LONGEST], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthenticated from error
    user, _, password = decoded.partition(":")
    workspace, _, email = user.partition("/")
    if not (workspace and email and password) or "\0" in decoded:
        raise Unauthenticated
    return BasicClient(workspace, email, password, name[:LONGEST_BROWSER])
