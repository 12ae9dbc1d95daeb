import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver
import pytest

from adapters.finding import Finding, Level
from adapters.mail_domain import LookupFailed, TextRecords, check_domains, domain_of, text_records
from adapters.mail_setup import check_mail_setup, protection
from adapters.smtp import server_of
from domain.settings import Settings
from tests.store.test_smtp import Inbox, accept_only, mail_server, scripted, settings

OURS: dict[str, Any] = {
    "mail_from": "Gatepass <no-reply@gatepass.io>",
    "mail_bounce_address": "b@gatepass.io",
}
COMPLETE = {
    "gatepass.io": ("google-site-verification=x", "v=spf1 mx -all"),
    "_dmarc.gatepass.io": ("v=DMARC1; p=reject",),
    "k1._domainkey.gatepass.io": ("v=DKIM1; p=MIIB",),
}


def records(known: Mapping[str, tuple[str, ...]]) -> TextRecords:
    async def look_up(name: str) -> tuple[str, ...]:
        return known.get(name, ())

    return look_up


async def no_dns(name: str) -> tuple[str, ...]:
    raise LookupFailed(name)


def levels(findings: tuple[Finding, ...]) -> list[Level]:
    return [each.level for each in findings]


def said(findings: tuple[Finding, ...]) -> str:
    return "\n".join(f"{each.what} {each.to_do}" for each in findings)


async def test_a_complete_set_up_has_no_faults() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        findings = await check_mail_setup(
            settings(port, **OURS),
            "admin@gatepass.io",
            dkim_selector="k1",
            look_up=records(COMPLETE),
        )
    assert set(levels(findings)) == {Level.OK}
    assert inbox.taken[0].rcpt_tos == ["admin@gatepass.io"]
    assert "v=spf1 mx -all" in said(findings)


async def test_without_a_recipient_nothing_is_sent() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        await check_mail_setup(settings(port, **OURS), look_up=records({}))
    assert inbox.taken == []


async def test_what_is_missing_is_said_with_what_to_do() -> None:
    findings = await check_domains(Settings(**OURS), None, records({}))
    assert levels(findings) == [Level.WARNING] * 3
    assert "gatepass.io has no SPF record" in findings[0].what
    assert "selector" in findings[1].what
    assert "gatepass.io has no DMARC record" in findings[2].what
    assert all(each.to_do for each in findings)


async def test_a_lookup_without_an_answer_is_no_missing_record() -> None:
    findings = await check_domains(Settings(**OURS), "k1", no_dns)
    assert levels(findings) == [Level.WARNING] * 3
    assert all("could not be looked up" in each.what for each in findings)


@pytest.mark.parametrize(
    ("known", "position", "level"),
    [
        ({"gatepass.io": ("v=spf1 -all", "v=spf1 mx -all")}, 0, Level.ERROR),
        ({"k2._domainkey.gatepass.io": ("v=DKIM1; p=x",)}, 1, Level.WARNING),
        ({"_dmarc.gatepass.io": ("v=DMARC1; p=none",)}, 2, Level.OK),
    ],
)
async def test_records_are_judged(
    known: dict[str, tuple[str, ...]], position: int, level: Level
) -> None:
    findings = await check_domains(Settings(**OURS), "k1", records(known))
    assert findings[position].level is level


async def test_a_dmarc_record_above_counts() -> None:
    """RFC 7489 6.6.3."""
    below: dict[str, Any] = dict.fromkeys(OURS, "x@mail.gatepass.io")
    findings = await check_domains(Settings(**below), None, records(COMPLETE))
    assert findings[2].level is Level.OK


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"mail_from": "Gatepass <no-reply@gatepass.localhost>"}, Level.WARNING),
        ({"mail_from": "nobody"}, Level.ERROR),
        ({"mail_bounce_address": ""}, Level.ERROR),
        ({"mail_from": "x@-ü"}, Level.ERROR),
    ],
)
async def test_addresses_nobody_can_look_up_are_said(changes: dict[str, Any], level: Level) -> None:
    (finding,) = await check_domains(Settings(**OURS | changes), None, no_dns)
    assert finding.level is level


def test_a_domain_is_told_in_ascii() -> None:
    assert domain_of("Gatepass <no-reply@Müller.example>") == "xn--mller-kva.example"


async def test_an_unusable_url_is_the_only_finding() -> None:
    unusable = Settings(smtp_url="smtp://anna:hunter2@mail.test")
    (finding,) = await check_mail_setup(unusable, look_up=no_dns)
    assert finding.level is Level.ERROR
    assert "hunter2" not in said((finding,))


async def test_a_server_that_is_away_is_an_error_and_domains_are_checked_still() -> None:
    async with mail_server(Inbox()) as port:
        pass
    findings = await check_mail_setup(
        settings(port, **OURS), "admin@gatepass.io", look_up=records(COMPLETE)
    )
    assert levels(findings) == [Level.ERROR, Level.OK, Level.WARNING, Level.OK]
    assert "could not be reached" in findings[0].what


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_credentials_are_tried() -> None:
    options: dict[str, Any] = {
        "authenticator": accept_only(b"anna", b"right"),
        "auth_require_tls": False,
        "auth_required": True,
    }
    async with mail_server(Inbox(), **options) as port:
        right = await check_mail_setup(settings(port, login="anna:right@"), look_up=no_dns)
        wrong = await check_mail_setup(settings(port, login="anna:wrong@"), look_up=no_dns)
    assert "The credentials of anna are accepted." in said(right)
    assert wrong[0].level is Level.ERROR
    assert "refused the credentials: 535" in wrong[0].what
    assert "wrong" not in said(wrong)


@pytest.mark.parametrize(
    ("answer", "level"),
    [("451 later", Level.WARNING), ("550 5.7.1 no", Level.ERROR)],
)
async def test_the_fate_of_the_test_mail_is_told(answer: str, level: Level) -> None:
    async with mail_server(Inbox(answer=answer)) as port:
        findings = await check_mail_setup(settings(port), "a@b.test", look_up=no_dns)
    (told,) = [each for each in findings if "test mail" in each.what]
    assert told.level is level
    assert answer in told.what


async def test_a_wrong_recipient_is_told() -> None:
    async with mail_server(Inbox()) as port:
        findings = await check_mail_setup(settings(port), "nobody", look_up=no_dns)
    assert "No test mail was sent: the recipient is not a mail address." in said(findings)


async def test_a_server_without_smtputf8_is_told() -> None:
    async with mail_server(Inbox(), enable_SMTPUTF8=False) as port:
        findings = await check_mail_setup(settings(port), look_up=no_dns)
    assert "SMTPUTF8" in said(findings)


async def test_a_server_that_turns_us_away_is_told() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 your network is not welcome\r\n")
        await reader.read()

    async with scripted(refuse) as port:
        findings = await check_mail_setup(settings(port), look_up=no_dns)
    assert findings[0].level is Level.ERROR
    assert "refused the connection: 554 your network is not welcome" in findings[0].what


@pytest.mark.parametrize(
    ("url", "offers_tls", "level", "words"),
    [
        ("smtps://mail.test", False, Level.OK, "is valid"),
        ("smtp+starttls://mail.test", True, Level.OK, "is valid"),
        ("smtp://mail.test", True, Level.WARNING, "use smtp+starttls://"),
        ("smtp://mail.test", False, Level.WARNING, "a mail server with TLS"),
        ("smtp://localhost", True, Level.OK, "stays on this machine"),
    ],
)
def test_mails_in_clear_are_warned_of(
    url: str, level: Level, words: str, *, offers_tls: bool
) -> None:
    finding = protection(server_of(url), offers_tls=offers_tls)
    assert finding.level is level
    assert words in said((finding,))


class Record:
    def __init__(self, *strings: bytes) -> None:
        self.strings = strings


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ([Record(b"v=spf1 ", b"-all")], ("v=spf1 -all",)),
        (dns.resolver.NXDOMAIN, ()),
        (dns.resolver.NoAnswer, ()),
        (dns.exception.Timeout, None),
        (dns.resolver.NoNameservers, None),
        (OSError("no network"), None),
    ],
)
async def test_dns_answers_are_told_from_silence(
    monkeypatch: pytest.MonkeyPatch, answer: Any, read: tuple[str, ...] | None
) -> None:
    async def resolve(name: str, kind: str, lifetime: float) -> Any:
        assert (kind, lifetime) == ("TXT", 3.0)
        if isinstance(answer, list):
            return answer
        raise answer

    monkeypatch.setattr(dns.asyncresolver, "resolve", resolve)
    found = None
    with suppress(LookupFailed):
        found = await text_records("gatepass.io")
    assert found == read
