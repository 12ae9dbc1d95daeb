"""What a workspace seals with, over HTTP: made, imported, shown without its key (PS-43)."""

from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)
from httpx2 import AsyncClient

from adapters.signing_certificate import made
from tests.api.factories import API, get, post
from tests.rooms.house import START

PATH = "/signing-certificate"
SECRET = "open sesame"


def a_file(at: datetime | None = None) -> str:
    """A PKCS #12 file in base64, as an administrator brings it."""
    certificate = made("Brought Ltd", at=at or START - timedelta(days=1), years=2)
    leaf, root = certificate.certificates
    key: Any = load_pem_private_key(certificate.key, None)
    lock = BestAvailableEncryption(SECRET.encode())
    return b64encode(pkcs12.serialize_key_and_certificates(b"x", key, leaf, [root], lock)).decode()


async def test_one_is_made_and_its_key_is_never_shown(client: AsyncClient) -> None:
    missing = await client.get(API + PATH)
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    created = await post(client, PATH, {})
    assert created.keys() == {
        *("subject", "fingerprint", "not_after", "origin", "level", "timestamp_url"),
        *("created_at", "root"),
    }
    assert (created["subject"], created["origin"], created["level"]) == ("Demo Ltd", "made", "B-LT")
    assert created["root"].startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in str(created)
    assert await get(client, PATH) == created
    [row] = (await get(client, "/audit", event="signing_certificate.made"))["items"]
    assert row["details"]["fingerprint"] == created["fingerprint"]


async def test_one_is_imported_and_replaces_the_one_before(client: AsyncClient) -> None:
    first = await post(client, PATH, {})
    url = "http://tsa.example.com/tsr"
    body = {"pkcs12": a_file(), "password": SECRET, "timestamp_url": url}
    second = await post(client, PATH, body)
    assert (second["subject"], second["origin"]) == ("Brought Ltd", "imported")
    assert (second["level"], second["timestamp_url"]) == ("B-T", url)
    assert second["fingerprint"] != first["fingerprint"]
    assert await get(client, PATH) == second


async def test_the_same_key_makes_one_certificate(client: AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    answers = [await client.post(API + PATH, json={}, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda: {"pkcs12": a_file(), "password": "wrong"}, "wrong_password"),
        (lambda: {"pkcs12": b64encode(b"junk").decode()}, "unreadable"),
        (
            lambda: {"pkcs12": a_file(at=START - timedelta(days=1000)), "password": SECRET},
            "expired",
        ),
    ],
    ids=["wrong password", "junk", "expired"],
)
async def test_what_cannot_seal_is_refused_with_its_reason(
    client: AsyncClient, body: Any, reason: str
) -> None:
    answer = await client.post(API + PATH, json=body())
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/certificate-refused"
    assert answer.json()["reason"] == reason
    assert (await client.get(API + PATH)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"timestamp_url": "ftp://tsa.example.com"},
        {"timestamp_url": "http://me@tsa.example.com"},
        {"timestamp_url": "https://[::1"},
        {"password": "alone"},
        {"pkcs12": "not base64!"},
        {"key": "x"},
    ],
    ids=str,
)
async def test_a_malformed_wish_is_named(client: AsyncClient, body: Any) -> None:
    answer = await client.post(API + PATH, json=body)
    assert answer.json()["type"] == "/problems/validation-failed"
