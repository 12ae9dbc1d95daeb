"""What operators see: health, readiness, numbers, log lines, settings, bounces."""

from dataclasses import replace

import pytest
import structlog
from fastapi import FastAPI
from httpx2 import AsyncClient

from adapters.networks import read_networks
from adapters.settings import SettingsError
from api.app import create_app
from api.proxies import TrustedProxies
from commands.mail import note_sent
from domain.mail import message_id_of
from domain.settings import CATALOGUE, Settings
from tests.api.conftest import caller
from tests.api.factories import API, get, make_session
from tests.rooms.house import Clock, House

REPORT = """From: MAILER-DAEMON@mx.example
To: bounces@gatepass.localhost
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not work.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; vera@vendor.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--b--
"""


async def test_health_needs_no_token(anonymous: AsyncClient) -> None:
    assert (await anonymous.get("/healthz")).json() == {"status": "ok"}


async def test_readiness_says_what_is_behind(
    app: FastAPI, client: AsyncClient, anonymous: AsyncClient, clock: Clock
) -> None:
    """The gate: without Temporal people are served, and what waits is counted."""
    await make_session(client)
    clock.turn(minutes=2)
    answer = await anonymous.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "behind",
        "database": "up",
        "temporal": "down",
        "behind": {
            "intents": 2,
            "mails": 1,
            "unsettled": 0,
            "audit": 6,
            "checks": 0,
            "oldest_seconds": 120.0,
        },
    }
    text = (await anonymous.get("/metrics")).text
    assert "gatepass_audit_events_waiting 6.0" in text


async def test_an_empty_database_is_not_ready(settings: Settings, empty_database_url: str) -> None:
    application = create_app(replace(settings, database_url=empty_database_url))
    async with (
        application.router.lifespan_context(application),
        caller(application) as anonymous,
    ):
        answer = await anonymous.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "not_migrated"


async def test_numbers_have_no_ids(
    client: AsyncClient, anonymous: AsyncClient, house: House
) -> None:
    session = await make_session(client)
    link = await house.link(session["id"])
    await get(client, f"/public-sessions/{session['id']}")
    await anonymous.get(f"/s/{link}")
    text = (await anonymous.get("/metrics")).text
    assert session["id"] not in text
    assert link not in text
    route = 'method="GET",route="/api/v1/public-sessions/{session_id}",status="200"'
    assert f"gatepass_http_requests_total{{{route}}} 1.0" in text
    assert "gatepass_link_visits_total 1.0" in text
    assert "gatepass_pages_open 0.0" in text


async def test_log_lines_hold_neither_links_nor_queries_nor_tokens(
    client: AsyncClient, anonymous: AsyncClient, house: House
) -> None:
    """RELIABILITY 30: no secrets in logs."""
    session = await make_session(client)
    link = await house.link(session["id"])
    with structlog.testing.capture_logs() as lines:
        await anonymous.get(f"/s/{link}?from=mail")
        await anonymous.get(f"/S/{link}")
        await anonymous.get(f"/s/{link}/nowhere/else")
        await client.get(f"{API}/parties?q=vera")
    text = str(lines)
    assert link not in text.lower()
    assert "vera" not in text
    assert "gp_api_" not in text
    assert [each["path"] for each in lines if each["event"] == "request"][::3] == [
        "/s/…",
        "/api/v1/parties",
    ]


async def test_each_answer_has_an_id(client: AsyncClient) -> None:
    given = await client.get("/healthz", headers={"x-request-id": "abcdefgh-1"})
    assert given.headers["x-request-id"] == "abcdefgh-1"
    odd = await client.get("/healthz", headers={"x-request-id": "a b\tc"})
    assert len(odd.headers["x-request-id"]) == 32


async def test_answers_are_never_stored_nor_sniffed(client: AsyncClient) -> None:
    for path in (f"{API}/parties", f"{API}/nothing"):
        answer = await client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_settings_show_values_and_keep_secrets(client: AsyncClient) -> None:
    """PS-44: the catalogue with its meaning, limits and origin."""
    found = {each["name"]: each for each in (await get(client, "/settings"))["items"]}
    assert list(found) == [each.name for each in CATALOGUE]
    assert found["code.life"]["value"] == 600
    assert found["code.life"]["variable"] == "GATEPASS_CODE_LIFE"
    assert found["code.life"]["origin"] == "default"
    assert found["public.url"]["origin"] == "installation"
    assert found["database.url"]["value"] is None
    assert found["database.url"]["secret"] is True
    assert "postgresql" not in str(found)


async def _bounce(client: AsyncClient, message_id: str) -> int:
    content = REPORT.format(message_id=message_id).encode()
    headers = {"content-type": "message/rfc822"}
    answer = await client.post(f"{API}/mail/bounces", content=content, headers=headers)
    return answer.status_code


async def test_a_bounce_is_visible_on_its_session(client: AsyncClient, house: House) -> None:
    """PS-37: later bounces, too."""
    session = await make_session(client)
    [mail] = await house.mails(session["id"])
    async with house.transactions.work() as work:
        await note_sent(work, mail.id)
    assert await _bounce(client, message_id_of(mail.id, "gatepass.localhost")) == 202
    found = await get(client, f"/public-sessions/{session['id']}")
    assert (found["mail_state"], found["mail_detail"]) == ("bounced", "5.1.1 550 no such user")


async def test_foreign_and_unknown_reports_are_taken_and_counted(
    client: AsyncClient, stranger: AsyncClient, house: House
) -> None:
    session = await make_session(client)
    [mail] = await house.mails(session["id"])
    assert await _bounce(stranger, message_id_of(mail.id, "gatepass.localhost")) == 202
    assert await _bounce(client, "<other@elsewhere.example>") == 202
    junk = await client.post(f"{API}/mail/bounces", content=b"\0\xff")
    assert junk.status_code == 202
    found = await get(client, f"/public-sessions/{session['id']}")
    assert found["mail_state"] == "queued"
    text = (await client.get("/metrics")).text
    assert 'gatepass_delivery_reports_total{outcome="not_ours"} 3.0' in text


@pytest.mark.parametrize(
    ("peer", "named", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
    ],
)
async def test_forwarded_addresses_are_believed_from_proxies_only(
    peer: str, named: str, client: str
) -> None:
    """ASVS 15.3.4."""
    seen: dict[str, object] = {}

    async def inside(scope: dict[str, object], _receive: object, _send: object) -> None:
        seen.update(scope)

    layer = TrustedProxies(inside, read_networks("10.0.0.0/8, ::1", "trusted_proxies"))  # type: ignore[arg-type]  # an ASGI app
    headers = [(b"x-forwarded-for", named.encode()), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": headers}
    await layer(scope, None, None)  # type: ignore[arg-type]  # neither is used
    assert seen["client"][0] == client  # type: ignore[index]  # an address
    assert seen["scheme"] == ("https" if peer == "10.0.0.1" else "http")


def test_an_unreadable_network_is_said() -> None:
    with pytest.raises(SettingsError, match="GATEPASS_TRUSTED_PROXIES"):
        read_networks("10.0.0.0/99", "trusted_proxies")
