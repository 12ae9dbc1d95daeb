"""The seal on a document: a PAdES signature by the workspace's certificate (ETSI EN 319 142-1).

The seal certifies that nothing may be changed (ISO 32000-2 12.8.2.2, DocMDP 1), and carries chain
and revocation list, in the revision that it covers, so that it can be checked offline with nothing
but the root (B-LT). With a time-stamping authority (RFC 3161) two time stamps are added, over the
signature and over the whole document (B-LTA). Nothing is fetched but what that authority needs.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import Any

from asn1crypto import keys, pem, x509  # type: ignore[import-untyped]  # has no types
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSigningSession,
    SigDSSPlacementPreference,
)
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from adapters.pdf_overlay import is_bare, opened
from adapters.pdf_seal_box import SealBox, SealPlace
from adapters.signing_certificate import SigningCertificate
from adapters.time_stamp import Stamper, TimeAuthority, fetchers

# It warns of each seal made without the network, which is how ours are meant to be.
logging.getLogger("pyhanko.sign.signers.pdf_signer").setLevel(logging.ERROR)

FIELD = "GatepassSeal"
"""How the name of its field begins."""
SEAL_SECONDS = 60
GRACE_SECONDS = 5
"""A thread that does not end by itself after this much more is left alone."""


class SealLevel(StrEnum):
    """How long a seal can be checked: PAdES baseline levels."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


class SealUnavailable(Exception):
    """The time-stamping authority does not answer as it should; try again later."""


class SealRefused(Exception):
    """This certificate cannot seal, or this document cannot be sealed; trying again is in vain."""


@dataclass(frozen=True, slots=True)
class SeenSeal:
    """A box that shows the seal, and where in the document it is."""

    box: SealBox
    place: SealPlace

    def field(self, name: str) -> SigFieldSpec:
        """The signature's field there."""
        return SigFieldSpec(
            name,
            on_page=self.place.page,
            box=self.place.rectangle(self.box),
            readable_field_name=self.box.words,
        )


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed document; `sha256` is of the whole file, in hex."""

    pdf: bytes
    sha256: str
    level: SealLevel


async def seal(
    pdf: bytes,
    certificate: SigningCertificate,
    *,
    reason: str,
    at: datetime,
    authority: TimeAuthority | None = None,
    seen: SeenSeal | None = None,
) -> Sealed:
    """Seals a document as of `at`, unseen unless it is said where; computes in a thread, 100 ms.

    Raises `SealUnavailable` when time stamps are asked for and do not come, and `SealRefused`, also
    for a document with anything over its pages: only the seal's own field may be there.
    """
    work = _Work(pdf, certificate, reason, at, authority, seen)
    try:
        async with asyncio.timeout(SEAL_SECONDS + GRACE_SECONDS):
            # Where a name leads is asked of the machine, which cannot be told to stop.
            return await asyncio.to_thread(_in_own_loop, work)
    except TimeoutError as error:
        raise SealUnavailable("sealing takes too long") from error


def _in_own_loop(work: "_Work") -> Sealed:
    return asyncio.run(work.done())


@dataclass(frozen=True, slots=True)
class _Work:
    pdf: bytes
    certificate: SigningCertificate
    reason: str
    at: datetime
    authority: TimeAuthority | None
    seen: SeenSeal | None

    @property
    def level(self) -> SealLevel:
        """With revocation lists it lasts; with time stamps its time is proven."""
        if self.certificate.crls:
            return SealLevel.B_LTA if self.authority else SealLevel.B_LT
        return SealLevel.B_T if self.authority else SealLevel.B_B

    @property
    def is_bare(self) -> bool:
        """Whether all that is to be read is in its pages, where everybody reads the same."""
        with opened(self.pdf) as document:
            return is_bare(document)

    async def done(self) -> Sealed:
        if not self.certificate.is_whole:
            raise SealRefused("the key is not the certificate's")
        if not self.is_bare:
            raise SealRefused("something lies over the document's pages")
        try:
            async with asyncio.timeout(SEAL_SECONDS):
                raw = await self._signed()
        except (TimeoutError, TimestampRequestError) as error:
            raise SealUnavailable("the time-stamping authority does not answer") from error
        except (PathBuildingError, PathValidationError) as error:
            raise SealUnavailable("the time-stamping authority cannot be verified") from error
        except SigningError as error:
            raise SealRefused(str(error)) from error
        return Sealed(raw, hashlib.sha256(raw).hexdigest(), self.level)

    async def _signed(self) -> bytes:
        stamper = Stamper(self.authority) if self.authority else None
        name = f"{FIELD}-{hashlib.sha256(self.pdf).hexdigest()[:8]}"
        metadata = PdfSignatureMetadata(
            name,
            md_algorithm="sha256",
            reason=self.reason,
            name=self.certificate.subject,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            subfilter=SigSeedSubFilter.PADES,
            signer_key_usage=set(),
            dss_settings=_IN_ONE_REVISION,
            **await self._evidence(stamper),
        )
        signer = PdfSigner(
            metadata,
            _signer(self.certificate),
            timestamper=stamper,
            stamp_style=self.seen.box.style() if self.seen else None,
            new_field_spec=self.seen.field(name) if self.seen else None,
        )
        writer = IncrementalPdfFileWriter(BytesIO(self.pdf))
        session = signer.init_signing_session(writer)
        session.system_time = self.at
        return await _finished(session)

    async def _evidence(self, stamper: Stamper | None) -> dict[str, Any]:
        """What is put in so that it can be checked later; checked now, too."""
        if not self.certificate.crls:
            return {}
        own = _context(self.certificate, moment=self.at, revocation_mode="require")
        evidence = {"embed_validation_info": True, "use_pades_lta": stamper is not None}
        if stamper is None or self.authority is None:
            return evidence | {"validation_context": own}
        await _check(self.certificate, own)
        anchors = _anchors(await _certificates_of(stamper))
        both = _context(
            self.certificate,
            anchors,
            allow_fetching=True,
            fetchers=fetchers(self.authority.settings),
            revocation_mode="hard-fail",
        )
        return evidence | {"validation_context": both}


_IN_ONE_REVISION = DSSContentSettings(
    include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
)


async def _finished(session: PdfSigningSession) -> bytes:
    """What `PdfSigner.async_sign_pdf` does; by ourselves, because there it is always now.

    The time stands in the signature's dictionary and not in its attributes, as PAdES wants.
    """
    found = await session.perform_presign_validation(session.pdf_out)
    size = await session.estimate_signature_container_size(found)
    prepared = session.prepare_tbs_document(found, size)
    digest, output = prepared.digest_tbs_document()
    signed = await prepared.perform_signature(digest.document_digest, PdfCMSSignedAttributes())
    await signed.post_signature_processing(output)
    output.seek(0)
    return bytes(output.read())


def _signer(certificate: SigningCertificate) -> SimpleSigner:
    leaf, *others = _certificates(certificate)
    _, _, der = pem.unarmor(certificate.key)
    store = SimpleCertificateStore()
    store.register_multiple(others)
    return SimpleSigner(leaf, keys.PrivateKeyInfo.load(der), store)


def _certificates(certificate: SigningCertificate) -> list[x509.Certificate]:
    return [
        x509.Certificate.load(der) for _, _, der in pem.unarmor(certificate.chain, multiple=True)
    ]


def _context(
    certificate: SigningCertificate, anchors: Sequence[x509.Certificate] = (), **options: Any
) -> ValidationContext:
    *others, root = _certificates(certificate)
    # A list that was made after `at` says of then, too, whether the certificate was good.
    return ValidationContext(
        [root, *anchors],
        other_certs=others,
        crls=list(certificate.crls),
        retroactive_revinfo=True,
        **options,
    )


async def _check(certificate: SigningCertificate, context: ValidationContext) -> None:
    leaf, *others = _certificates(certificate)
    try:
        await CertificateValidator(leaf, others, context).async_validate_usage(set())
    except (PathBuildingError, PathValidationError) as error:
        raise SealRefused("the certificate is not good any more") from error


async def _certificates_of(stamper: Stamper) -> list[x509.Certificate]:
    """What an authority sends along with a time stamp."""
    await stamper.async_dummy_response("sha256")
    return list(stamper.cert_registry)


def _anchors(sent: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The uppermost of them. Whom to trust is for who checks the seal to say, not for us."""
    subjects = {each.subject.hashable for each in sent if each.self_issued == "no"}
    return [
        each for each in sent if each.self_issued != "no" or each.issuer.hashable not in subjects
    ]
