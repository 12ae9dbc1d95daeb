"""The places in a sealed document that no signature covers: the signatures' own.

Viewers do not look at all that stands there. Here each byte is compared with what a seal has.
"""

from collections.abc import Sequence
from typing import Any

from asn1crypto import cms, x509  # type: ignore[import-untyped]  # has no types
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from pyhanko.sign.validation import EmbeddedPdfSignature

from adapters.signing_certificate import is_issued


def is_intact(
    pdf: bytes,
    seal: EmbeddedPdfSignature,
    stamps: Sequence[EmbeddedPdfSignature],
    roots: Sequence[bytes],
) -> bool:
    """Whether the places that signatures stand in hold nothing else, and nothing altered."""
    every = (seal, *stamps)
    return (
        _is_ours(seal)
        and all(_is_plain(pdf, each) for each in every)
        and all(_is_chained(each, roots) for each in every)
    )


def _is_plain(pdf: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Whether a signature stands in the file digit by digit as it is written, and no more.

    The digits behind its end are noughts: no signature covers them, and viewers do not look.
    """
    begin, end = signature.byte_range[1], signature.byte_range[2]
    content = bytes(signature.pkcs7_content)
    unused = content[len(cms.ContentInfo.load(content).dump()) :]
    return pdf[begin:end] == b"<" + content.hex().upper().encode() + b">" and not any(unused)


def _is_ours(seal: EmbeddedPdfSignature) -> bool:
    """Whether the frame around what is signed is byte by byte the one that a seal has.

    Versions and names of algorithms stand in it a second time, where nothing covers them.
    """
    found = seal.signer_info
    signer = {
        "version": "v1",
        "sid": {"issuer_and_serial_number": _issuer_and_serial(seal.signer_cert)},
        "digest_algorithm": {"algorithm": "sha256"},
        "signature_algorithm": found["signature_algorithm"],
        "signed_attrs": found["signed_attrs"],
        "signature": found["signature"],
    }
    if found["unsigned_attrs"]:
        signer["unsigned_attrs"] = found["unsigned_attrs"]
    frame = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "data"},
        "certificates": seal.signed_data["certificates"],
        "signer_infos": [signer],
    }
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(frame)})
    return bytes(seal.pkcs7_content).startswith(whole.dump(force=True))


def _issuer_and_serial(certificate: x509.Certificate) -> dict[str, Any]:
    return {"issuer": certificate.issuer, "serial_number": certificate.serial_number}


def _is_chained(signature: EmbeddedPdfSignature, roots: Sequence[bytes]) -> bool:
    brought = [signature.signer_cert, *signature.other_embedded_certs]
    read = [load_der_x509_certificate(each.dump()) for each in brought]
    issuers = [*read, *map(load_pem_x509_certificate, roots)]
    return all(any(is_issued(by, each) for by in issuers) for each in read)
