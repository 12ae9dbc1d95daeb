"""Whom a trusted reverse proxy says is there, in the header that the installation names.

Only the peer of the connection is asked for: what came through other hands proves nothing. The
proxy must remove the header from what it is sent, and set it once.
"""

from dataclasses import dataclass

import structlog
from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.networks import Network, address_in, is_within
from adapters.settings import SettingsError
from api.problem import ProblemKind
from api.proxies import peer_of, trusted_networks
from domain.settings import Settings

log = structlog.get_logger()

VOUCHED = "gatepass.vouched"
"""Where the request's scope has the address; missing where nobody is vouched for."""
LONGEST_ADDRESS = 320
REFUSED = ProblemKind(403, "not-from-the-proxy", "The proxy's header from somewhere else")
DETAIL = (
    "This request has the header in which a trusted proxy names the member. It did not come from"
    " one, or has it more than once. Ask whoever runs Gatepass to look at"
    " GATEPASS_TRUSTED_PROXIES, and open the address that the proxy answers."
)


@dataclass(frozen=True, slots=True)
class Vouching:
    """The header's name, "" for none, and the networks whose word counts."""

    header: str
    networks: tuple[Network, ...]


def read_vouching(settings: Settings) -> Vouching:
    """What the settings say; raises `SettingsError` for a header that nobody may set."""
    found = Vouching(settings.login_integrated_header.strip(), trusted_networks(settings))
    if found.header and not found.networks:
        raise SettingsError(
            "GATEPASS_LOGIN_INTEGRATED_HEADER needs GATEPASS_TRUSTED_PROXIES: nobody else is"
            " believed"
        )
    return found


class VouchedMembers:
    """Believes the header from trusted proxies, and refuses what has it from elsewhere."""

    def __init__(self, app: ASGIApp, vouching: Vouching) -> None:
        """Takes the application inside and whom to believe about what."""
        self._app = app
        self._vouching = vouching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        named = self._named(scope)
        if not named:
            await self._app(scope, receive, send)
        elif len(named) == 1 and is_within(address_in(peer_of(scope)), self._vouching.networks):
            vouched = named[0].strip()[:LONGEST_ADDRESS]
            await self._app({**scope, VOUCHED: vouched}, receive, send)
        else:
            log.warning("integrated_header_refused", peer=peer_of(scope), times=len(named))
            await REFUSED.response(DETAIL)(scope, receive, send)

    def _named(self, scope: Scope) -> list[str]:
        if not self._vouching.header or scope["type"] != "http":
            return []
        return Headers(scope=scope).getlist(self._vouching.header)


def vouched_by_proxy(request: Request) -> str:
    """The address of whoever a trusted proxy says is there, or ""."""
    address: str = request.scope.get(VOUCHED, "")
    return address
