"""A workspace's OpenID Connect provider: where it asks, and what its signed answer says.

Authorization code flow with PKCE (RFC 7636, RFC 9700), one client for each request. Whose word we
fetch is chosen by an administrator of a workspace, so nothing is believed of it: https alone, no
redirects, little time, few bytes, signatures of a few kinds; and nobody inside our own network is
asked, whatever a name leads to.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from typing_extensions import override

from adapters.networks import (
    Address,
    Network,
    NotOutside,
    address_in,
    addresses_of,
    is_outside,
    is_within,
    read_networks,
)
from domain.federation import Expected, FederatedFault, OnceSecrets, is_trustworthy
from domain.member_errors import FederatedRefused
from domain.settings import Settings

log = structlog.get_logger()

DISCOVERY = "/.well-known/openid-configuration"
SCOPE = "openid email"
ALGORITHMS = ["RS256", "PS256", "ES256"]
KEY_TYPES = frozenset({"RSA", "EC"})
LONGEST_ANSWER = 256 * 1024
HTTPS_PORT = 443
SECONDS = 5.0
"""For each wait of one request."""
SECONDS_ALTOGETHER = 15.0
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
BASIC, POST = "client_secret_basic", "client_secret_post"
BROKEN = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    TimeoutError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Provider:
    """Whom we ask, who we are there, and where browsers come back to."""

    issuer: str
    client_id: str
    client_secret: str
    back: str
    settings: Settings


def is_issuer(text: str, settings: Settings) -> bool:
    """Whether this can be an issuer (OpenID Connect Discovery 1.0, 3)."""
    return "?" not in text and not text.endswith("/.") and _is_fetchable(text, settings)


def _is_fetchable(text: Any, settings: Settings) -> bool:
    """Https; http on this machine alone, where Gatepass itself is reached without TLS."""
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except (ValueError, TypeError, AttributeError):
        return False
    is_plain = bool(parts.hostname) and "@" not in parts.netloc and "#" not in text and has_port
    is_safe = parts.scheme == "https" or _here(parts, settings)
    return is_plain and text.isprintable() and is_safe and _may_be(parts, settings)


def _here(parts: SplitResult, settings: Settings) -> bool:
    if parts.scheme != "http" or not _is_plain_http(settings):
        return False
    address = address_in(parts.hostname or "")
    return parts.hostname == "localhost" if address is None else address.is_loopback


def _is_plain_http(settings: Settings) -> bool:
    """Whether Gatepass is tried out on one machine, where its provider may be, too."""
    return settings.public_url.startswith("http://")


def _may_be(parts: SplitResult, settings: Settings) -> bool:
    """False for an address that is refused as it stands; where a name leads is seen later."""
    address = address_in(parts.hostname or "")
    return address is None or _is_talked_to(address, settings)


def _is_talked_to(address: Address, settings: Settings) -> bool:
    if address.is_loopback and _is_plain_http(settings):
        return True
    return is_outside(address) or is_within(address, inner_networks(settings))


def inner_networks(settings: Settings) -> tuple[Network, ...]:
    """Where in our own network providers may be; raises `SettingsError`."""
    return read_networks(settings.login_federated_networks, "login_federated_networks")


async def address_to_ask(provider: Provider, secrets: OnceSecrets) -> str:
    """Where a browser is led to; raises `FederatedRefused` if the provider does not answer."""
    async with _talk(provider) as client:
        found = await _discovered(client, provider)
        address, _ = client.create_authorization_url(
            found["authorization_endpoint"],
            state=secrets.state,
            nonce=secrets.nonce,
            code_verifier=secrets.verifier,
        )
    return str(address)


async def claims_of(
    provider: Provider, code: str, secrets: OnceSecrets, at: datetime
) -> Mapping[str, Any]:
    """What the provider says of whom it let through; raises `FederatedRefused`."""
    async with _talk(provider) as client:
        found = await _discovered(client, provider)
        if BASIC not in (found.get("token_endpoint_auth_methods_supported") or [BASIC]):
            client.token_endpoint_auth_method = POST
        answer = await client.fetch_token(
            found["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=secrets.verifier,
        )
        keys = await _json(client, found["jwks_uri"])
    claims = _signed(answer.get("id_token"), keys)
    expected = Expected(provider.issuer, provider.client_id, secrets.nonce)
    if claims is None or not is_trustworthy(claims, expected, at):
        log.warning("openid_failed", reason="the ID token is not to be trusted")
        raise FederatedRefused(FederatedFault.UNTRUSTED)
    return claims


def _signed(token: Any, keys: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The claims of a token, if one of these keys signed it."""
    try:
        usable = [each for each in keys.get("keys", ()) if _signs(each)]
        imported = KeySet.import_key_set({"keys": usable})
        return jwt.decode(token, imported, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _signs(key: Any) -> bool:
    is_key = isinstance(key, dict) and key.get("kty") in KEY_TYPES
    return is_key and key.get("use", "sig") == "sig"


async def _discovered(client: AsyncOAuth2Client, provider: Provider) -> dict[str, Any]:
    found = await _json(client, provider.issuer.rstrip("/") + DISCOVERY)
    if found.get("issuer") != provider.issuer:
        raise ValueError("another issuer")
    if not all(_is_fetchable(found.get(each), provider.settings) for each in ENDPOINTS):
        raise ValueError("an address that is not fetched")
    return found


async def _json(client: AsyncOAuth2Client, address: str) -> dict[str, Any]:
    answer = await client.request("GET", address, withhold_token=True)
    if answer.status_code != httpx2.codes.OK:
        raise ValueError("no 200")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - what came is wrong, not how it was asked for
    return found


@asynccontextmanager
async def _talk(provider: Provider) -> AsyncIterator[AsyncOAuth2Client]:
    client = AsyncOAuth2Client(
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        scope=SCOPE,
        redirect_uri=provider.back,
        code_challenge_method="S256",
        transport=_Bounded(provider.settings),
        timeout=SECONDS,
        follow_redirects=False,
        trust_env=False,
        headers={"accept": "application/json", "accept-encoding": "identity"},
    )
    try:
        async with asyncio.timeout(SECONDS_ALTOGETHER), client:
            yield client
    except OAuthError as error:
        log.warning("openid_failed", reason="the code was refused")
        raise FederatedRefused(FederatedFault.UNTRUSTED) from error
    except BROKEN as error:
        log.warning("openid_failed", reason=type(error).__name__)
        raise FederatedRefused(FederatedFault.AWAY) from error


class _Bounded(httpx2.AsyncBaseTransport):
    """Answers as they come over the wire, never long ones, and from outside alone.

    What a name leads to is looked up once and then connected to, so that it cannot change between.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inner = httpx2.AsyncHTTPTransport()

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._answered(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise httpx2.DecodingError("an answer that unpacks", request=request)
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=_Few(answer), request=request
        )

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        """Of the first address that can be connected to."""
        *others, last = await self._addresses(request.url)
        for each in others:
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await self._inner.handle_async_request(_to(request, each))
        return await self._inner.handle_async_request(_to(request, last))

    async def _addresses(self, url: httpx2.URL) -> list[Address]:
        try:
            found = await addresses_of(url.raw_host.decode("ascii"), url.port or HTTPS_PORT)
        except OSError as error:
            raise httpx2.ConnectError("a name that leads nowhere") from error
        usable = [each for each in found if _is_talked_to(each, self._settings)]
        if not usable:
            raise NotOutside
        return usable

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


def _to(request: httpx2.Request, address: Address) -> httpx2.Request:
    """The request to this very address; certificate and Host stay those of the name."""
    name = request.url.raw_host.decode("ascii")
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": name},
    )


class _Few(httpx2.AsyncByteStream):
    """An answer's bytes up to the limit."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._answer.aiter_raw():
            size += len(chunk)
            if size > LONGEST_ANSWER:
                raise httpx2.ReadError("an answer that is too long")
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._answer.aclose()
