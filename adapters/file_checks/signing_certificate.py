"""A certificate's file (PKCS #12), opened where whoever made it can hold nobody up.

What is asked is one line of JSON, and behind it the file; the answer is one line of JSON. The
password comes by the pipe with them, and is in nothing else.
"""

import codecs
import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.backends.openssl import backend

from adapters.signing_certificate_import import CertificateRefused, imported

LOADED = (backend,)
"""What would be loaded when the first certificate is read; by then nothing can be loaded."""
_ALPHABETS = ("ascii", "latin-1", "cp1252", "idna", "utf-8", "utf-16-be", "utf-32-be", "teletex")
"""Of names in certificates; `asn1crypto` brings the last."""

for _alphabet in _ALPHABETS:
    codecs.lookup(_alphabet)


def opened(raw: bytes) -> bytes:
    """Chain and key in PEM, or why the certificate is refused."""
    line, _, file = raw.partition(b"\n")
    asked = json.loads(line)
    at = datetime.fromisoformat(asked["at"])
    try:
        certificate = imported(file, asked["password"], at=at)
    except CertificateRefused as error:
        return _answer({"refused": error.reason})
    return _answer({"chain": certificate.chain.decode(), "key": certificate.key.decode()})


def _answer(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()
