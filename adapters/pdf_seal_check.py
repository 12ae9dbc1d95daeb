"""Whether a sealed document is as it was sealed: the counterpart of `pdf_seal`, offline.

Stricter than a viewer has to be, because it knows what our seals look like: one certifying
signature; behind what it covers nothing but time stamps, the last of which covers the whole file;
and in the only place that a signature does not cover, its own, not a digit that we had not written.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from io import BytesIO
from typing import Any

from asn1crypto import pem, x509  # type: ignore[import-untyped]  # has no types
from asn1crypto.crl import CertificateList  # type: ignore[import-untyped]  # as above
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    SignatureCoverageLevel,
)
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    AdESLTAValidationResult,
    AdESWithTimeValidationResult,
    ades_basic_validation,
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from adapters.pdf_seal import SealLevel
from adapters.pdf_seal_frame import is_intact
from adapters.signing_certificate import subject_of

# It warns of each seal without time stamps; the verdict says that.
logging.getLogger("pyhanko.sign.validation.ades").setLevel(logging.ERROR)

_Result = AdESBasicValidationResult[Any]


class SealProblem(StrEnum):
    """What is wrong with a document, or with its seal."""

    UNREADABLE = "unreadable"
    NOT_SEALED = "not_sealed"
    CHANGED = "changed"
    APPENDED = "appended"
    NOT_CERTIFIED = "not_certified"
    SEAL_ALTERED = "seal_altered"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What a check found; good is what has no problem.

    `sealed_at` is what the seal says, `stamped_at` what a trusted authority says, if one does.
    """

    problems: tuple[SealProblem, ...]
    level: SealLevel | None = None
    subject: str = ""
    sealed_at: datetime | None = None
    stamped_at: datetime | None = None

    @property
    def is_good(self) -> bool:
        """Whether the document is exactly what was sealed, by somebody whom the roots vouch for."""
        return not self.problems


async def validate(pdf: bytes, roots: Sequence[bytes], *, at: datetime) -> SealVerdict:
    """Checks a document at a time against roots in PEM, those of time stamps among them."""
    return await asyncio.to_thread(_validated, pdf, roots, at)


def _validated(pdf: bytes, roots: Sequence[bytes], at: datetime) -> SealVerdict:
    try:
        return asyncio.run(_verdict(pdf, roots, at))
    except Exception:  # noqa: BLE001 - whatever a parser says of a file that somebody altered
        return SealVerdict((SealProblem.UNREADABLE,))


async def _verdict(pdf: bytes, roots: Sequence[bytes], at: datetime) -> SealVerdict:
    reader = PdfFileReader(BytesIO(pdf))
    seals, stamps = reader.embedded_regular_signatures, reader.embedded_timestamp_signatures
    if not seals:
        return SealVerdict((SealProblem.NOT_SEALED,))
    seal = seals[0]
    result = await _result(seal, roots, at)
    for each in stamps:
        each.compute_integrity_info()
    found = {
        SealProblem.APPENDED: len(seals) > 1 or _is_appended(seal, stamps),
        SealProblem.NOT_CERTIFIED: seal.docmdp_level is not MDPPerm.NO_CHANGES,
        SealProblem.SEAL_ALTERED: not is_intact(pdf, seal, stamps, roots),
    }
    problems = [*_of_result(result), *(each for each, is_so in found.items() if is_so)]
    stamped_at = _stamped_at(result, at)
    return SealVerdict(
        tuple(problems),
        _level(reader, result, stamped_at),
        subject_of(load_der_x509_certificate(seal.signer_cert.dump())),
        seal.self_reported_timestamp,
        stamped_at,
    )


async def _result(seal: EmbeddedPdfSignature, roots: Sequence[bytes], at: datetime) -> _Result:
    """By the process for its level (ETSI EN 319 102-1: 5.6.3 for B-LTA, 5.5 for B-T, else 5.3)."""
    policy = _policy(roots, seal.reader)
    timing = ValidationTimingInfo(at, at, point_in_time_validation=True)
    if seal.reader.embedded_timestamp_signatures:
        return await ades_lta_validation(seal, PdfSignatureValidationSpec(policy), timing)
    policy = replace(policy, local_knowledge=_evidence(seal.reader))
    process = ades_with_time_validation if _has_stamp(seal) else ades_basic_validation
    return await process(
        seal.signed_data, policy, timing_info=timing, raw_digest=seal.compute_digest()
    )


def _has_stamp(seal: EmbeddedPdfSignature) -> bool:
    """Whether an authority stamped the signature with its time."""
    return any(True for _ in extract_tst_data_iter(seal.signer_info, signed=False))


def _evidence(reader: PdfFileReader) -> LocalKnowledge:
    """The chain and the revocation lists that travel in the document."""
    if _STORE not in reader.root:
        return LocalKnowledge()
    store = DocumentSecurityStore.read_dss(reader)
    lists = (CertificateList.load(each.get_object().data) for each in store.crls)
    return LocalKnowledge(
        known_crls=[CRLContainer(each) for each in lists], known_certs=list(store.load_certs())
    )


def _policy(roots: Sequence[bytes], reader: PdfFileReader) -> SignatureValidationSpec:
    """Nothing is fetched. Evidence that the seal carries must hold; old time stamps have none."""
    trusted = SimpleTrustManager.build([_certificate(each) for each in roots])
    mode = "require" if _STORE in reader.root else "hard-fail"
    own, stamps = (
        CertValidationPolicySpec(
            trusted, CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy(each))
        )
        for each in (mode, "hard-fail")
    )
    usage = KeyUsageConstraints(
        key_usage={"non_repudiation", "digital_signature"}, match_all_key_usages=False
    )
    offline = RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY)
    return SignatureValidationSpec(own, offline, stamps, key_usage_settings=usage)


def _certificate(raw: bytes) -> x509.Certificate:
    _, _, der = pem.unarmor(raw)
    return x509.Certificate.load(der)


_STORE = "/DSS"
_EXPIRED = frozenset(
    [
        AdESIndeterminate.EXPIRED,
        AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED,
    ]
)
_REVOKED = frozenset(
    [AdESFailure.REVOKED, AdESIndeterminate.REVOKED_NO_POE, AdESIndeterminate.REVOKED_CA_NO_POE]
)
_CHANGED = frozenset([AdESFailure.HASH_FAILURE, AdESFailure.SIG_CRYPTO_FAILURE])


def _of_result(result: _Result) -> Iterator[SealProblem]:
    if result.ades_subindic is AdESPassed.OK:
        return
    tables = (
        (_CHANGED, SealProblem.CHANGED),
        (_REVOKED, SealProblem.REVOKED),
        (_EXPIRED, SealProblem.EXPIRED),
    )
    known = (problem for each, problem in tables if result.ades_subindic in each)
    yield next(known, SealProblem.UNTRUSTED)


def _is_appended(seal: EmbeddedPdfSignature, stamps: Sequence[EmbeddedPdfSignature]) -> bool:
    """Whether anything follows but time stamps and their evidence, each over all before it."""
    seal.compute_integrity_info()
    last = stamps[-1] if stamps else seal
    if last.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return True
    found = seal.diff_result
    return getattr(found, "modification_level", None) not in _STAMPED


_STAMPED = frozenset([ModificationLevel.NONE, ModificationLevel.LTA_UPDATES])


def _level(reader: PdfFileReader, result: _Result, stamped_at: datetime | None) -> SealLevel:
    """What it can be checked by, as far as the roots vouch for it."""
    lasts = _STORE in reader.root
    if lasts and getattr(result, "oldest_evidence_record_timestamp", None):
        return SealLevel.B_LTA
    if lasts:
        return SealLevel.B_LT
    return SealLevel.B_T if stamped_at else SealLevel.B_B


def _stamped_at(result: _Result, at: datetime) -> datetime | None:
    """By the earliest time stamp that the roots vouch for."""
    if isinstance(result, AdESLTAValidationResult):
        stamp = result.signature_timestamp_status
        if stamp and stamp.ades_subindic is AdESPassed.OK and stamp.api_status:
            stamped_at: datetime = stamp.api_status.timestamp
            return stamped_at.astimezone(UTC)
        return result.oldest_evidence_record_timestamp
    if isinstance(result, AdESWithTimeValidationResult) and result.best_signature_time < at:
        return result.best_signature_time.astimezone(UTC)
    return None
