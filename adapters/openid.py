"""A workspace's OpenID Connect provider: where it asks, and what its signed answer says.

Authorization code flow with PKCE (RFC 7636, RFC 9700), one client for each request. Whose word we
fetch is chosen by an administrator of a workspace, so nothing is believed of it: https alone, no
redirects, little time, few bytes, signatures of a few kinds; and nobody inside our own network is
asked, whatever a name leads to.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
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

from adapters.networks import address_in
from adapters.outside import Bounded, is_plain_http, is_talked_to
from domain.federation import Expected, FederatedFault, OnceSecrets, is_trustworthy
from domain.member_errors import FederatedRefused
from domain.settings import Settings

log = structlog.get_logger()

DISCOVERY = "/.well-known/openid-configuration"
SCOPE = "openid email"
ALGORITHMS = ["RS256", "PS256", "ES256"]
KEY_TYPES = frozenset({"RSA", "EC"})
LONGEST_ANSWER = 256 * 1024
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
    if parts.scheme != "http" or not is_plain_http(settings):
        return False
    address = address_in(parts.hostname or "")
    return parts.hostname == "localhost" if address is None else address.is_loopback


def _may_be(parts: SplitResult, settings: Settings) -> bool:
    """False for an address that is refused as it stands; where a name leads is seen later."""
    address = address_in(parts.hostname or "")
    return address is None or is_talked_to(address, settings)


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
        transport=Bounded(provider.settings, LONGEST_ANSWER),
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
