"""What an ID token must say, and which addresses are fetched (OpenID Connect Core 3.1.3.7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest

from adapters.networks import is_outside
from adapters.openid import is_issuer
from adapters.outside import inner_networks
from adapters.settings import SettingsError
from domain.federation import Channel, Expected, is_of_domains, is_trustworthy, takes_part
from domain.settings import Settings

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = int(AT.timestamp())
INSIDE = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fd00::1",
    "fe80::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:a00:1::",
    "64:ff9b:1::7f00:1",
    "::127.0.0.1",
    "::ffff:0:7f00:1",
    "fec0::1",
    "5f00::1",
    "3fff::1",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "192.0.0.192",
)
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
        ("https://gate.example", "https://10.0.0.1", False),
        ("https://gate.example", "https://127.0.0.1:8443", False),
        ("https://gate.example", "https://169.254.169.254", False),
        ("https://gate.example", "https://[fd00::1]", False),
        ("https://gate.example", "https://[::ffff:10.0.0.1]", False),
        ("https://gate.example", "https://93.184.215.14", True),
        ("https://gate.example", "https://10.9.0.1", True),
        ("http://localhost:8000", "https://127.0.0.1:8443", True),
        ("http://localhost:8000", "https://10.0.0.1", False),
    ],
)
def test_which_providers_are_talked_to(public: str, issuer: str, is_good: bool) -> None:
    chosen = replace(Settings(), public_url=public, login_federated_networks="10.9.0.0/16")
    assert is_issuer(issuer, chosen) is is_good


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::8.8.8.8", True),
        ("168.63.129.17", True),
        *((each, False) for each in INSIDE),
    ],
)
def test_what_is_inside_a_network_is_not_outside(address: str, outside: bool) -> None:
    # OWASP SSRF prevention: also where IPv6 stands for an IPv4 address
    assert is_outside(ip_address(address)) is outside


def test_networks_that_are_none_are_said_at_the_start() -> None:
    with pytest.raises(SettingsError, match="GATEPASS_LOGIN_FEDERATED_NETWORKS"):
        inner_networks(replace(Settings(), login_federated_networks="10.0.0.0/99"))
