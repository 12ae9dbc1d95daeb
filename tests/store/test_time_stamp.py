"""An authority of time stamps, chosen by an administrator, is not a way into our own network."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import keys, x509  # type: ignore[import-untyped]  # has no types
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.errors import CRLFetchError, OCSPFetchError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from adapters import pdf_seal, time_stamp
from adapters.pdf_seal import SealUnavailable, seal
from adapters.signing_certificate import made
from adapters.time_stamp import TimeAuthority
from domain.settings import Settings
from tests.unit.sealing import document

NOW = datetime.now(UTC)
HERE = "127.0.0.1"
OUTSIDE = replace(Settings(), public_url="https://gate.example")
HERE_ALONE = replace(OUTSIDE, login_federated_networks=f"{HERE}/32")
REPLY = b"Content-Type: application/timestamp-reply\r\n"

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its address, and what it has heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [
                each.split(b":")[1] for each in head.lower().split(b"\r\n") if b"length" in each
            ]
            body = await reader.readexactly(int(lines[0]) if lines else 0)
            heard.append(body or head)
            await answer(body, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HERE, 0)
    try:
        yield f"http://{HERE}:{server.sockets[0].getsockname()[1]}/", heard
    finally:
        server.close()


async def nothing(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def sealing(url: str, settings: Settings) -> float:
    """How long it takes to say that there is no time stamp."""
    begun = time.monotonic()
    certificate = made("Acme Ltd", at=NOW, years=1)
    authority = TimeAuthority(url, settings)
    with pytest.raises(SealUnavailable):
        await seal(document(), certificate, reason="x", at=NOW, authority=authority)
    return time.monotonic() - begun


async def test_an_authority_inside_is_not_connected_to() -> None:
    async with listening(nothing) as (url, heard):
        await sealing(url, OUTSIDE)
        await sealing(url.replace(HERE, "localhost"), OUTSIDE)
        assert heard == []
        await sealing(url, HERE_ALONE)
        assert len(heard) == 1


async def test_no_redirect_is_followed() -> None:
    async with listening(nothing) as (inside, heard):

        async def away(_: bytes, writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 307 Away\r\nLocation: {inside}\r\nContent-Length: 0\r\n\r\n"
            writer.write(head.encode())

        async with listening(away) as (url, _):
            await sealing(url, Settings())
        assert heard == []


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    sent = 0

    async def floods(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + REPLY + b"Content-Length: 999999999\r\n\r\n")
        for _chunk in range(400):
            writer.write(bytes(64 * 1024))
            await writer.drain()
            sent += 64 * 1024

    async with listening(floods) as (url, _):
        await sealing(url, Settings())
    assert sent < 16 * 1024 * 1024


async def test_one_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time; the answer as a whole does not."""
    monkeypatch.setattr(time_stamp, "STAMP_SECONDS", 0.5)

    async def drips(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + REPLY + b"Content-Length: 1000\r\n\r\n")
        for _byte in range(60):
            writer.write(b"0")
            await writer.drain()
            await asyncio.sleep(0.1)

    async with listening(drips) as (url, _):
        assert await sealing(url, Settings()) < 4


async def test_a_thread_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(_: Any) -> Any:
        time.sleep(3)  # noqa: ASYNC251 - like a resolver that does not come back

    monkeypatch.setattr(pdf_seal, "SEAL_SECONDS", 0.2)
    monkeypatch.setattr(pdf_seal, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(pdf_seal._Work, "done", hangs)
    assert await sealing("http://tsa.example/", Settings()) < 2


def an_authority(evidence: str) -> DummyTimeStamper:
    """It sends its issuer along; its certificate names where what vouches for it is."""
    keys_of = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    names = [
        pyca.Name([pyca.NameAttribute(NameOID.COMMON_NAME, each)])
        for each in ("Root", "Stamps", "Above")
    ]
    uri = pyca.UniformResourceIdentifier(evidence)
    access = [
        pyca.AccessDescription(each, uri)
        for each in (AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS)
    ]
    extensions: list[list[tuple[Any, bool]]] = [
        [(pyca.BasicConstraints(ca=True, path_length=None), True)],
        [
            (pyca.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
            (pyca.CRLDistributionPoints([pyca.DistributionPoint([uri], None, None, None)]), False),
            (pyca.AuthorityInformationAccess(access), False),
        ],
    ]
    read = []
    issuers = [names[2], names[0]]
    for name, issuer, key, wanted in zip(names, issuers, keys_of, extensions, strict=False):
        builder = (
            pyca.CertificateBuilder()
            .issuer_name(issuer)
            .subject_name(name)
            .public_key(key.public_key())
            .serial_number(pyca.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=365))
        )
        for extension, critical in wanted:
            builder = builder.add_extension(extension, critical=critical)
        signed = builder.sign(keys_of[0], hashes.SHA256())
        read.append(x509.Certificate.load(signed.public_bytes(Encoding.DER)))
    store = SimpleCertificateStore()
    store.register(read[0])
    der = keys_of[1].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return DummyTimeStamper(read[1], keys.PrivateKeyInfo.load(der), store)


@pytest.mark.parametrize("settings", [OUTSIDE, Settings()], ids=["refused", "allowed"])
async def test_what_its_certificate_names_is_asked_as_guardedly(settings: Settings) -> None:
    """Its list, its issuer and the answer about it, wherever the certificate says they are."""
    async with listening(nothing) as (inside, heard):
        stamper = an_authority(f"{inside}latest/meta-data")
        stamps, issuer = stamper.tsa_cert, stamper.certs_to_embed[0]
        asking = time_stamp.fetchers(settings)
        with pytest.raises(CRLFetchError):
            await asking.crl_fetcher.fetch(stamps)
        with pytest.raises(OCSPFetchError):
            await asking.ocsp_fetcher.fetch(stamps, AuthorityWithCert(issuer))
        assert [each async for each in asking.cert_fetcher.fetch_cert_issuers(stamps)] == []
        assert len(heard) == (0 if settings is OUTSIDE else 3)
