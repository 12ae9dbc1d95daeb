"""Whom to believe about a client's address and scheme: proxies of the settings, nobody else."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.networks import Network, address_in, is_within, read_networks
from domain.settings import Settings

SCHEMES = frozenset({"http", "https"})


def trusted_networks(settings: Settings) -> tuple[Network, ...]:
    """The networks of the setting `trusted.proxies`; raises `SettingsError`."""
    return read_networks(settings.trusted_proxies, "trusted_proxies")


class TrustedProxies:
    """Takes X-Forwarded-For and -Proto over where the peer is a trusted proxy (ASVS 15.3.4)."""

    def __init__(self, app: ASGIApp, networks: tuple[Network, ...]) -> None:
        """Takes the application inside and the networks that are believed."""
        self._app = app
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if self._networks and scope["type"] == "http" and self._is_trusted(peer_of(scope)):
            scope = {**scope, **self._forwarded(Headers(scope=scope), scope)}
        await self._app(scope, receive, send)

    def _is_trusted(self, address: str) -> bool:
        return is_within(address_in(address), self._networks)

    def _forwarded(self, headers: Headers, scope: Scope) -> Scope:
        schemes = [each.strip().lower() for each in headers.getlist("x-forwarded-proto")]
        scheme = schemes[-1] if schemes and schemes[-1] in SCHEMES else scope["scheme"]
        return {"client": (self._client(headers, peer_of(scope)), 0), "scheme": scheme}

    def _client(self, headers: Headers, peer: str) -> str:
        """The last address that is no proxy of ours; what a client wrote before it is ignored."""
        named = ",".join(headers.getlist("x-forwarded-for")).split(",")
        client = peer
        for each in reversed([name.strip() for name in named]):
            if address_in(each) is None:
                break
            client = each
            if not self._is_trusted(each):
                break
        return client


def peer_of(scope: Scope) -> str:
    """The address at the other end of a request's connection, or ""."""
    return scope["client"][0] if scope.get("client") else ""
