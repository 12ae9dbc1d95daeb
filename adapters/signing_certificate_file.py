"""A certificate's file (PKCS #12) as a workspace brings it.

How long its password takes is for whoever made the file to say, and what opens it lets no thread of
ours run meanwhile: it is opened in the confined process of `file_checks` and nowhere else.
"""

import asyncio
import json
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakValueDictionary

from cryptography import x509

from adapters.file_check import FileCheckBroken, answer_to
from adapters.file_checks.verdict import is_unfinished
from adapters.signing_certificate import SigningCertificate, of_parts
from adapters.signing_certificate_import import (
    LARGEST,
    PATIENCE,
    CertificateReason,
    CertificateRefused,
)
from domain.upload import UploadRefused

_LARGEST_ANSWER = 4 * LARGEST
_opening: MutableMapping[UUID, asyncio.Lock] = WeakValueDictionary()
"""A workspace opens one file at a time: the processes that check files are there for all."""


async def opened(
    pkcs12_file: bytes,
    password: str,
    *,
    at: datetime,
    workspace_id: UUID,
    timeout: timedelta = PATIENCE,  # noqa: ASYNC109 - limits the other process
) -> SigningCertificate:
    """The certificate in a file, good at `at`.

    Raises `CertificateRefused`, and `FileCheckBroken` when the process itself fails.
    """
    if len(pkcs12_file) > LARGEST:
        raise CertificateRefused(CertificateReason.UNREADABLE)
    head = json.dumps({"at": at.isoformat(), "password": password})
    asked = head.encode() + b"\n" + pkcs12_file
    async with _opening.setdefault(workspace_id, asyncio.Lock()):
        try:
            answer = await answer_to("signing_certificate", asked, timeout, _LARGEST_ANSWER)
        except UploadRefused as error:
            late, broken = CertificateReason.TOO_SLOW, CertificateReason.UNREADABLE
            raise CertificateRefused(late if is_unfinished(error) else broken) from error
    return _read(answer)


def _read(answer: bytes) -> SigningCertificate:
    """What the process says. It may be led astray: nothing is believed."""
    try:
        said = json.loads(answer)
        if "refused" in said:
            raise CertificateRefused(CertificateReason(said["refused"]))
        chain, key = said["chain"].encode(), said["key"].encode()
        return of_parts(x509.load_pem_x509_certificates(chain), key, ())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileCheckBroken("no certificate") from error
