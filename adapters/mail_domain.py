"""What receivers of mail look up about the domain it comes from: SPF, DKIM and DMARC."""

from collections.abc import Awaitable, Callable
from email.utils import parseaddr

import dns.asyncresolver
import dns.exception
import dns.resolver
import idna

from adapters.finding import Finding, Level
from adapters.mail_message import ascii_domain
from domain.settings import Settings

LOOKUP_SECONDS = 3.0
RESERVED = ("localhost", "test", "example", "invalid", "local", "internal")
"""Top-level names that no receiver can look up (RFC 6761, RFC 6762)."""

TextRecords = Callable[[str], Awaitable[tuple[str, ...]]]


class LookupFailed(Exception):
    """DNS gave no answer, which says nothing about whether a record exists."""


async def text_records(name: str) -> tuple[str, ...]:
    """The TXT records of a name, none when there are none. Raises `LookupFailed`."""
    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except (dns.exception.DNSException, OSError) as error:
        raise LookupFailed(name) from error
    return tuple(b"".join(each.strings).decode("utf-8", "replace") for each in answer)


async def check_domains(
    settings: Settings, selector: str | None, look_up: TextRecords
) -> tuple[Finding, ...]:
    """Whether receivers can see that mail with our addresses is ours (RFC 7208, 6376, 7489)."""
    shown, returned = (
        domain_of(each) for each in (settings.mail_from, settings.mail_bounce_address)
    )
    if not shown or not returned:
        to_do = "Correct GATEPASS_MAIL_FROM and GATEPASS_MAIL_BOUNCE_ADDRESS."
        return (Finding(Level.ERROR, "The sender or bounce address is no mail address.", to_do),)
    if shown.rpartition(".")[2] in RESERVED:
        to_do = "Set GATEPASS_MAIL_FROM to an address of a domain of yours before going live."
        return (Finding(Level.WARNING, f"Nobody outside can look up {shown}.", to_do),)
    return (
        await _spf(returned, look_up),
        await _dkim(shown, selector, look_up),
        await _dmarc(shown, look_up),
    )


async def _spf(domain: str, look_up: TextRecords) -> Finding:
    try:
        found = [each for each in await look_up(domain) if each.lower().startswith("v=spf1")]
    except LookupFailed:
        return _not_looked_up("SPF record", domain)
    if len(found) == 1:
        to_do = "Make sure that it names your mail server."
        return Finding(Level.OK, f"{domain} has an SPF record: {found[0]}", to_do)
    if found:
        to_do = "Keep one; with several, receivers ignore them all (RFC 7208 4.5)."
        return Finding(Level.ERROR, f"{domain} has {len(found)} SPF records.", to_do)
    to_do = f'Add a TXT record to {domain}: "v=spf1 mx include:<your mail provider> ~all".'
    return Finding(Level.WARNING, f"{domain} has no SPF record.", to_do)


async def _dkim(domain: str, selector: str | None, look_up: TextRecords) -> Finding:
    if not selector:
        to_do = "Your mail server signs; name its selector to have the key looked up."
        return Finding(Level.WARNING, "DKIM was not checked: no selector was given.", to_do)
    name = f"{selector}._domainkey.{domain}"
    try:
        found = [each for each in await look_up(name) if "p=" in each.replace(" ", "")]
    except LookupFailed:
        return _not_looked_up("DKIM key", name)
    if found:
        return Finding(Level.OK, f"The DKIM key {name} is published.")
    to_do = "Publish the key that your mail server signs with."
    return Finding(Level.WARNING, f"There is no DKIM key at {name}.", to_do)


async def _dmarc(domain: str, look_up: TextRecords) -> Finding:
    try:
        found = [
            each
            for name in _dmarc_names(domain)
            for each in await look_up(name)
            if each.lower().startswith("v=dmarc1")
        ]
    except LookupFailed:
        return _not_looked_up("DMARC record", f"_dmarc.{domain}")
    if found:
        return Finding(Level.OK, f"{domain} has a DMARC record: {found[0]}")
    to_do = f'Add a TXT record to _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:<you>" to begin.'
    return Finding(Level.WARNING, f"{domain} has no DMARC record.", to_do)


def _dmarc_names(domain: str) -> list[str]:
    """The domain and those above it, nearest first: a record above counts for all below."""
    labels = domain.split(".")
    return [f"_dmarc.{'.'.join(labels[start:])}" for start in range(max(len(labels) - 1, 1))]


def _not_looked_up(what: str, name: str) -> Finding:
    to_do = "Try again where DNS can be asked; this says nothing about the record itself."
    return Finding(Level.WARNING, f"The {what} of {name} could not be looked up.", to_do)


def domain_of(address: str) -> str | None:
    """The domain of an address, with or without a name, in ASCII; None when it has none."""
    _, at, domain = parseaddr(address)[1].rpartition("@")
    try:
        return ascii_domain(domain.lower()) if at and domain else None
    except idna.IDNAError:
        return None
