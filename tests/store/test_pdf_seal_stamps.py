"""Seals with time stamps of an authority (RFC 3161) that answers, does not, or answers nonsense."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from asn1crypto import keys, tsp, x509  # type: ignore[import-untyped]  # has no types
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from adapters import pdf_seal, time_stamp
from adapters.pdf_seal import SealLevel, SealUnavailable, seal
from adapters.pdf_seal_check import SealProblem, validate
from adapters.signing_certificate import SigningCertificate, made, with_fresh_crl
from adapters.signing_certificate_import import imported
from adapters.time_stamp import TimeAuthority
from domain.settings import Settings
from tests.unit.completions import seen
from tests.unit.sealing import document, pdfsig
from tests.unit.test_signing_certificate import PASSWORD, packed

Answer = Callable[[bytes], Awaitable[bytes]]
"""From the body of a request to what goes onto the wire; b"" hangs up."""

NOW = datetime.now(UTC)
"""Nobody's clock can be set here: an authority stamps with its own."""


@cache
def authority() -> tuple[rsa.RSAPrivateKey, pyca.Certificate]:
    """A certificate for stamping that is its own root, good for ten years."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = pyca.Name([pyca.NameAttribute(NameOID.COMMON_NAME, "Stamps for tests")])
    stamping = pyca.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        pyca.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(stamping, critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def root_of_stamps() -> bytes:
    return authority()[1].public_bytes(Encoding.PEM)


async def stamps(body: bytes) -> bytes:
    key, certificate = authority()
    stamper = DummyTimeStamper(
        x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        keys.PrivateKeyInfo.load(
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        ),
        SimpleCertificateStore(),
    )
    return reply(stamper.request_tsa_response(tsp.TimeStampReq.load(body)).dump())


def reply(body: bytes, kind: str = "application/timestamp-reply", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Stamps:
    """An authority on a free port of this machine, answering as it is told to."""

    def __init__(self) -> None:
        self.answer: Answer = stamps
        self.asked = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            self.asked += 1
            writer.write(await self.answer(await reader.readexactly(length)))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def tsa() -> AsyncIterator[Stamps]:
    served = Stamps()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    yield served
    server.close()
    await server.wait_closed()


@cache
def certificate() -> SigningCertificate:
    return made("Acme Ltd", at=NOW, years=1)


def here(url: str) -> TimeAuthority:
    """An authority as on one machine, where the loopback is asked."""
    return TimeAuthority(url, Settings())


async def test_stamped_seals_outlive_their_certificate(tsa: Stamps, tmp_path: Path) -> None:
    """RELIABILITY 25, expired leaf: B-LTA proves when it was sealed."""
    sealed = await seal(
        document(), certificate(), reason="x", at=NOW, authority=here(tsa.url), seen=seen()
    )
    assert sealed.level is SealLevel.B_LTA
    roots = [certificate().root, root_of_stamps()]
    now = await validate(sealed.pdf, roots, at=datetime.now(UTC))
    later = await validate(sealed.pdf, roots, at=NOW + timedelta(days=700))
    for each in (now, later):
        assert each.problems == ()
        assert each.level is SealLevel.B_LTA
        assert each.stamped_at is not None
        assert abs(each.stamped_at - datetime.now(UTC)) < timedelta(minutes=2)
    # Of time stamps over the document poppler says that it cannot verify them.
    assert "Signature is Valid." in pdfsig(sealed.pdf, tmp_path)


async def test_who_does_not_trust_the_authority_has_a_seal_without_time(tsa: Stamps) -> None:
    sealed = await seal(document(), certificate(), reason="x", at=NOW, authority=here(tsa.url))
    roots = [certificate().root]
    verdict = await validate(sealed.pdf, roots, at=datetime.now(UTC))
    assert verdict.stamped_at is None
    assert verdict.level is SealLevel.B_LT
    later = await validate(sealed.pdf, roots, at=NOW + timedelta(days=700))
    assert not later.is_good


async def test_a_changed_byte_is_found_in_time_stamps_too(tsa: Stamps) -> None:
    sealed = await seal(document(), certificate(), reason="x", at=NOW, authority=here(tsa.url))
    roots = [certificate().root, root_of_stamps()]
    whole, at = sealed.pdf, datetime.now(UTC)
    for part in range(1, 60):
        place = len(whole) * part // 60
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        assert not (await validate(changed, roots, at=at)).is_good, place
    assert SealProblem.APPENDED in (await validate(whole + b" ", roots, at=at)).problems


async def test_a_certificate_without_a_list_has_its_time_at_least(tsa: Stamps) -> None:
    brought = imported(packed(begins=-300, ends=3650), PASSWORD, at=NOW)
    sealed = await seal(document(), brought, reason="x", at=NOW, authority=here(tsa.url))
    assert sealed.level is SealLevel.B_T
    verdict = await validate(sealed.pdf, [brought.root, root_of_stamps()], at=datetime.now(UTC))
    assert verdict.problems == ()
    assert verdict.level is SealLevel.B_T
    assert verdict.stamped_at is not None


async def test_a_revoked_certificate_is_not_stamped(tsa: Stamps) -> None:
    revoked = with_fresh_crl(certificate(), at=NOW, revoked_at=NOW - timedelta(minutes=1))
    with pytest.raises(pdf_seal.SealRefused):
        await seal(document(), revoked, reason="x", at=NOW, authority=here(tsa.url))
    assert tsa.asked == 0


async def _hangs_up(_: bytes) -> bytes:
    return b""


async def _refuses(body: bytes) -> bytes:
    status = {"status": "rejection", "fail_info": {"bad_request"}, "status_string": ["no"]}
    return reply(tsp.TimeStampResp({"status": tsp.PKIStatusInfo(status)}).dump())


async def _stamps_another(body: bytes) -> bytes:
    """A stamp that is good, for another nonce."""
    asked = tsp.TimeStampReq.load(body)
    asked["nonce"] = 7
    return await stamps(asked.dump())


def _says(body: bytes, **how: str) -> Answer:
    async def answer(_: bytes) -> bytes:
        return reply(body, **how)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        _hangs_up, _refuses, _stamps_another, _says(b""), _says(b"\x30\x03\x02\x01\x00"),
        _says(b"junk" * 100), _says(b"<html>", kind="text/html"),
        _says(b"busy", status="503 Service Unavailable"), _says(b"", status="429 Too Many"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_can_be_tried_again(tsa: Stamps, answer: Answer) -> None:
    tsa.answer = answer
    for by in (certificate(), imported(packed(begins=-300, ends=3650), PASSWORD, at=NOW)):
        with pytest.raises(SealUnavailable):
            await seal(document(), by, reason="x", at=NOW, authority=here(tsa.url))


async def test_an_authority_that_is_away_can_be_tried_again() -> None:
    with socket.socket() as free:
        # Bound, and nobody listens.
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(SealUnavailable):
            await seal(document(), certificate(), reason="x", at=NOW, authority=here(url))


async def test_an_authority_that_is_slow_is_not_waited_for(
    tsa: Stamps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_stamp, "STAMP_SECONDS", 0.2)

    async def slow(_: bytes) -> bytes:
        await asyncio.sleep(5)
        return b""

    tsa.answer = slow
    begun = asyncio.get_running_loop().time()
    with pytest.raises(SealUnavailable):
        await seal(document(), certificate(), reason="x", at=NOW, authority=here(tsa.url))
    assert asyncio.get_running_loop().time() - begun < 4
