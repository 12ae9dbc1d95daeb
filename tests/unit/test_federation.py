"""What an ID token must say, and which addresses are fetched (OpenID Connect Core 3.1.3.7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.openid import is_issuer
from domain.federation import Channel, Expected, is_of_domains, is_trustworthy, takes_part
from domain.settings import Settings

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = int(AT.timestamp())
EXPECTED = Expected("https://login.example", "gatepass", "nonce")
GOOD: dict[str, Any] = {
    "iss": "https://login.example",
    "aud": "gatepass",
    "sub": "1",
    "nonce": "nonce",
    "iat": NOW,
    "exp": NOW + 300,
}


@pytest.mark.parametrize(
    "more", [{}, {"aud": ["gatepass"]}, {"aud": ["gatepass", "b"], "azp": "gatepass"}, {"nbf": NOW}]
)
def test_a_token_for_us_is_trusted(more: dict[str, Any]) -> None:
    assert is_trustworthy(GOOD | more, EXPECTED, AT)


@pytest.mark.parametrize("name", list(GOOD))
def test_nothing_may_be_missing(name: str) -> None:
    assert not is_trustworthy(
        {each: value for each, value in GOOD.items() if each != name}, EXPECTED, AT
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": True},
        {"exp": "9999999999"},
        {"iat": None},
        {"nbf": NOW + 61},
        {"nbf": "x"},
        {"aud": {"gatepass": 1}},
        {"aud": None},
        {"sub": 1},
        {"sub": "x" * 321},
    ],
    ids=str,
)
def test_a_claim_of_another_kind_is_no_claim(wrong: dict[str, Any]) -> None:
    assert not is_trustworthy(GOOD | wrong, EXPECTED, AT)


def test_a_token_ends_when_it_says_but_for_the_clocks() -> None:
    for seconds, is_good in ((359, True), (360, False), (-60, True), (-61, False)):
        at = AT + timedelta(seconds=seconds)
        assert is_trustworthy(GOOD, EXPECTED, at) is is_good, seconds


def test_a_domain_is_itself_and_none_below_it() -> None:
    assert is_of_domains("a@Office.Example", ["office.example"])
    assert is_of_domains("a@office.example", [])
    for email in ("a@sub.office.example", "a@office.example.evil", ""):
        assert not is_of_domains(email, ["office.example"])


@pytest.mark.parametrize(
    ("channel", "limited_to", "takes"),
    [
        (Channel.GENERAL, Channel.GENERAL, True),
        (Channel.GENERAL, Channel.CONTROLLED, False),
        (Channel.CONTROLLED, Channel.GENERAL, True),
        (Channel.CONTROLLED, Channel.CONTROLLED, True),
    ],
)
def test_who_takes_part(channel: Channel, limited_to: Channel, takes: bool) -> None:
    # EE-20
    assert takes_part(channel, limited_to) is takes


@pytest.mark.parametrize(
    ("public", "issuer", "is_good"),
    [
        ("https://gate.example", "https://login.example", True),
        ("https://gate.example", "https://login.example:8443/tenant", True),
        ("https://gate.example", "http://127.0.0.1:8080", False),
        ("http://localhost:8000", "http://127.0.0.1:8080", True),
        ("http://localhost:8000", "http://localhost:8080", True),
        ("http://localhost:8000", "http://[::1]:8080", True),
        ("http://localhost:8000", "http://10.0.0.1", False),
        ("http://localhost:8000", "http://localhost.evil.example", False),
        ("http://localhost:8000", "ftp://localhost", False),
        ("http://localhost:8000", "https://", False),
    ],
)
def test_which_providers_are_talked_to(public: str, issuer: str, is_good: bool) -> None:
    assert is_issuer(issuer, replace(Settings(), public_url=public)) is is_good
