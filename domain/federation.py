"""Signing in through the company's own identity provider (OpenID Connect): pure rules.

Sources: OpenID Connect Core 1.0, 3.1.3.7; RFC 9700.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.address import without_capitals
from domain.fault import Fault

LONGEST_VALUE = 500
MOST_DOMAINS = 50
SKEW = timedelta(seconds=60)
"""How far the provider's clock and ours may be apart."""
LONGEST_CLAIM = 320


class Channel(StrEnum):
    """How early a workspace takes part in what is new (EE-20)."""

    GENERAL = "general"
    CONTROLLED = "controlled"


def takes_part(channel: Channel, limited_to: Channel) -> bool:
    """Whether a workspace on `channel` has what is limited to a channel, or to none (EE-20)."""
    return limited_to is Channel.GENERAL or channel is Channel.CONTROLLED


class MatchBy(StrEnum):
    """By what a member is known again: its verified address, or what never changes at the provider.

    By subject, a member's first time is by its verified address; from then on the subject counts.
    """

    EMAIL = "email"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class FederationFields:
    """A workspace's provider, our client there, and whose addresses are taken; () takes all."""

    issuer: str
    client_id: str
    client_secret: str
    domains: tuple[str, ...]
    match: MatchBy


def faults_of(fields: FederationFields) -> tuple[Fault, ...]:
    """Every fault but that of the issuer's address."""
    found = [
        Fault(f"/{name}", f"must have 1 to {LONGEST_VALUE} ASCII characters")
        for name in ("client_id", "client_secret")
        if not _is_code(getattr(fields, name))
    ]
    if len(fields.domains) > MOST_DOMAINS:
        found.append(Fault("/domains", f"must be {MOST_DOMAINS} at most"))
    found.extend(
        Fault(f"/domains/{index}", "must be the part behind an address's @, such as example.com")
        for index, each in enumerate(fields.domains)
        if "@" in each or "." not in each.strip(".") or not each.isprintable() or " " in each
    )
    return tuple(found)


def _is_code(value: str) -> bool:
    return 1 <= len(value) <= LONGEST_VALUE and value.isascii() and value.isprintable()


@dataclass(frozen=True, slots=True)
class OnceSecrets:
    """What ties an answer to the browser and moment that asked: state, nonce and PKCE verifier."""

    state: str
    nonce: str
    verifier: str


class FederatedFault(StrEnum):
    """Why nobody was signed in, for a page that says what to do."""

    AWAY = "away"
    DECLINED = "declined"
    TOO_LATE = "too_late"
    UNTRUSTED = "untrusted"
    UNVERIFIED = "unverified"
    DOMAIN = "domain"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say of where it comes from and for whom it is."""

    issuer: str
    client_id: str
    nonce: str


def is_trustworthy(claims: Mapping[str, Any], expected: Expected, at: datetime) -> bool:
    """Whether a signed ID token is for this sign-in and good at `at` (OIDC Core 3.1.3.7)."""
    return (
        claims.get("iss") == expected.issuer
        and claims.get("nonce") == expected.nonce
        and _is_for(claims, expected.client_id)
        and _is_timely(claims, at.timestamp())
        and 1 <= len(text_of(claims, "sub")) <= LONGEST_CLAIM
    )


def _is_for(claims: Mapping[str, Any], client_id: str) -> bool:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    presented_by = claims.get("azp", client_id if len(several) == 1 else None)
    return client_id in several and presented_by == client_id


def _is_timely(claims: Mapping[str, Any], now: float) -> bool:
    latest = now + SKEW.total_seconds()
    is_begun = _number(claims, "iat", latest + 1) <= latest and _number(claims, "nbf", 0) <= latest
    return is_begun and now - SKEW.total_seconds() < _number(claims, "exp", 0)


def _number(claims: Mapping[str, Any], name: str, missing: float) -> float:
    value = claims.get(name, missing)
    # A switch is an int to Python, and to nobody else. What is no number compares with nothing.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else float("nan")


def text_of(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a text, else ""."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def verified_address(claims: Mapping[str, Any]) -> str:
    """The address that the provider has verified, or ""."""
    email = text_of(claims, "email")
    return email if claims.get("email_verified") is True and len(email) <= LONGEST_CLAIM else ""


def is_of_domains(email: str, domains: Sequence[str]) -> bool:
    """Whether an address is in one of these domains, not below one; none named: all are."""
    domain = without_capitals(email.rpartition("@")[2])
    return not domains or domain in {without_capitals(each) for each in domains}
