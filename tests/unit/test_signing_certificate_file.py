"""A certificate's file as a workspace brings it, opened where nothing of ours waits for it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from asn1crypto import algos, core  # type: ignore[import-untyped]  # has no types
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from adapters import file_check, signing_certificate_file
from adapters.file_check import FileCheckBroken
from adapters.file_checks import signing_certificate as child
from adapters.signing_certificate import SigningCertificate
from adapters.signing_certificate_file import opened
from adapters.signing_certificate_import import (
    LARGEST,
    CertificateReason,
    CertificateRefused,
    imported,
)
from tests.unit.sealing import NOW
from tests.unit.test_signing_certificate import PASSWORD, issued, packed

OURS, OTHERS = UUID(int=1), UUID(int=2)
SCRYPT = "1.3.6.1.4.1.11591.4.11"


async def brought(raw: bytes, password: str = PASSWORD, seconds: float = 20) -> SigningCertificate:
    within = timedelta(seconds=seconds)
    return await opened(raw, password, at=NOW, workspace_id=OURS, timeout=within)


async def refused(raw: bytes, password: str = PASSWORD, seconds: float = 20) -> CertificateReason:
    with pytest.raises(CertificateRefused) as caught:
        await brought(raw, password, seconds)
    return caught.value.reason


def said(raw: bytes, password: str = PASSWORD) -> dict[str, Any]:
    """What the process answers, asked in our own."""
    head = json.dumps({"at": NOW.isoformat(), "password": password}).encode()
    answer: dict[str, Any] = json.loads(child.opened(head + b"\n" + raw))
    return answer


def as_long_ago() -> bytes:
    """With the locks of Windows and OpenSSL of the years before 2020."""
    key, leaf, root = issued(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    lock = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(PASSWORD.encode())
    )
    return pkcs12.serialize_key_and_certificates(b"seal", key, leaf, [root], lock)


def test_the_process_answers_chain_and_key() -> None:
    for raw in (packed(), as_long_ago()):
        known = imported(raw, PASSWORD, at=NOW)
        assert said(raw) == {"chain": known.chain.decode(), "key": known.key.decode()}
    assert said(packed(), "other") == {"refused": "wrong_password"}
    assert said(b"junk\nof\nlines") == {"refused": "unreadable"}
    assert said(packed(), "\ud800") == {"refused": "wrong_password"}


LOADS_LATE = """
import json, sys
sys.path.insert(0, {root!r})
from adapters.file_checks.signing_certificate import opened
late = []
sys.addaudithook(lambda event, given: late.append(given[0]) if event in ("import", "open") else 0)
while size := int(sys.stdin.buffer.readline() or b"0"):
    opened(sys.stdin.buffer.read(size))
print(json.dumps([str(each) for each in late]))
"""


async def test_the_process_loads_nothing_once_it_may_not() -> None:
    root = str(Path(file_check.__file__).parents[1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", LOADS_LATE.format(root=root)), stdin=-1, stdout=-1, env={}
    )
    head = json.dumps({"at": NOW.isoformat(), "password": PASSWORD}).encode() + b"\n"
    asked = [head + each for each in (packed(), as_long_ago(), packed(name="Acme محمد"), b"junk")]
    lines = b"".join(b"%d\n%s" % (len(each), each) for each in asked)
    answer, _ = await process.communicate(lines)
    assert (process.returncode, json.loads(answer)) == (0, [])


async def test_what_comes_by_the_pipe_is_what_the_file_has() -> None:
    for raw in (packed(), as_long_ago()):
        assert await brought(raw) == imported(raw, PASSWORD, at=NOW)
    assert await refused(packed(), "other") is CertificateReason.WRONG_PASSWORD
    assert await refused(packed(ends=-1, begins=-9)) is CertificateReason.EXPIRED
    assert await refused(b"") is CertificateReason.UNREADABLE
    assert await refused(packed() + bytes(LARGEST)) is CertificateReason.UNREADABLE


class Cost(core.Sequence):  # type: ignore[misc]  # has no types
    _fields: ClassVar = [("salt", core.OctetString), *((each, core.Integer) for each in "nrp")]


class Derivation(core.Sequence):  # type: ignore[misc]  # as above
    _fields: ClassVar = [("algorithm", core.ObjectIdentifier), ("parameters", Cost)]


def by_scrypt() -> Any:
    """Of 17 s."""
    cost = {"salt": os.urandom(16), "n": 16384, "r": 1, "p": 4000}
    return algos.KdfAlgorithm.load(Derivation({"algorithm": SCRYPT, "parameters": cost}).dump())


def by_pbkdf2() -> Any:
    salt = algos.Pbkdf2Salt(name="specified", value=os.urandom(16))
    about = {"salt": salt, "iteration_count": 2**31 - 1, "prf": {"algorithm": "sha256"}}
    return {"algorithm": "pbkdf2", "parameters": about}


def locked_key(derivation: Any) -> dict[str, Any]:
    cipher = {"algorithm": "aes256_cbc", "parameters": os.urandom(16)}
    about = {"key_derivation_func": derivation, "encryption_scheme": cipher}
    lock = {"algorithm": "pbes2", "parameters": about}
    value = {"encryption_algorithm": lock, "encrypted_data": os.urandom(160)}
    return {"bag_id": "pkcs8_shrouded_key_bag", "bag_value": value}


def holding(bag: dict[str, Any]) -> bytes:
    """A file without a MAC; no password is needed to make it, nor to have it tried."""
    content = core.OctetString(asn1_pkcs12.SafeContents([bag]).dump())
    safe = asn1_pkcs12.AuthenticatedSafe([{"content_type": "data", "content": content}]).dump()
    held = {"content_type": "data", "content": core.OctetString(safe)}
    return bytes(asn1_pkcs12.Pfx({"version": "v3", "auth_safe": held}).dump())


def nested(bag: dict[str, Any]) -> dict[str, Any]:
    return {"bag_id": "safe_contents", "bag_value": asn1_pkcs12.SafeContents([bag])}


@contextmanager
def loop_runs(most: float) -> Iterator[None]:
    """The event loop never waits for longer than so many seconds."""
    gaps = [0.0]

    async def tick() -> None:
        while True:
            since = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - since)

    ticking = asyncio.get_running_loop().create_task(tick())
    yield
    ticking.cancel()
    assert max(gaps) < most


@pytest.mark.parametrize(
    "raw",
    [holding(locked_key(by_scrypt())), holding(nested(locked_key(by_pbkdf2())))],
    ids=["scrypt", "nested"],
)
async def test_a_file_that_takes_for_ever_to_open_holds_nobody_up(raw: bytes) -> None:
    begun = time.monotonic()
    with loop_runs(most=1):
        assert await refused(raw, seconds=2) is CertificateReason.TOO_SLOW
    assert time.monotonic() - begun < 10


async def test_a_file_that_breaks_what_opens_it_is_no_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import os, signal, sys; sys.stdin.read(); os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(file_check, "_command", lambda _: (sys.executable, "-I", "-c", code))
    assert await refused(b"x") is CertificateReason.UNREADABLE


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b'{"refused": "because"}',
        b'{"chain": "x", "key": "y"}',
        b'{"chain": 1, "key": "y"}',
        b'{"chain": ""}',
        b"[" * 100_000,
    ],
)
async def test_what_is_led_astray_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    async def astray(*_: object) -> bytes:
        return answer

    monkeypatch.setattr(signing_certificate_file, "answer_to", astray)
    with pytest.raises(FileCheckBroken):
        await brought(b"x")


async def test_a_workspace_has_one_opened_at_a_time_and_none_waits_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs: list[str] = []
    go_on = asyncio.Event()

    async def slow(job: str, raw: bytes, *_: object) -> bytes:
        jobs.append(job)
        assert json.loads(raw.partition(b"\n")[0])["password"] == PASSWORD
        await go_on.wait()
        return b'{"refused": "no_key"}'

    monkeypatch.setattr(signing_certificate_file, "answer_to", slow)
    async with asyncio.TaskGroup() as group:
        for whose in (OURS, OURS, OTHERS):
            asked = opened(b"x", PASSWORD, at=NOW, workspace_id=whose)
            group.create_task(anyway(asked))
        await asyncio.sleep(0.05)
        # The password is in no job's name: that stands on a command line.
        assert jobs == ["signing_certificate"] * 2
        go_on.set()
    assert len(jobs) == 3


async def anyway(asked: Any) -> None:
    with pytest.raises(CertificateRefused):
        await asked
