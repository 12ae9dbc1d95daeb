"""Documents and certificates that tests of sealing begin with."""

import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from adapters.pdf_document import document_pdf
from adapters.signing_certificate import SigningCertificate, made
from domain.document import Document

NOW = datetime(2026, 12, 6, 14, 5, 9, tzinfo=UTC)
YEARS = 3
EXPIRED_AT = NOW + timedelta(days=366 * YEARS)


@cache
def certificate(company: str = "Acme Ltd") -> SigningCertificate:
    return made(company, at=NOW, years=YEARS)


@cache
def document(pages: int = 2) -> bytes:
    words = "The parties agree on what is said here. " * 6
    text = "\n\n".join(f"## Part {each}\n\n{words}" for each in range(13 * pages - 6))
    return document_pdf(Document("Framework agreement", text), signers=("Anna",)).pdf


def pdfsig(pdf: bytes, folder: Path) -> str:
    """What poppler says of the signatures in a document."""
    at = folder / "document.pdf"
    at.write_bytes(pdf)
    done = subprocess.run(
        ["pdfsig", "-nocert", str(at)], capture_output=True, check=False, timeout=20
    )
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
