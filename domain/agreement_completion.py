"""What is said at the end of an agreement that all have signed: who did what, and when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from domain.receipt import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerCompletion:
    """What one signer did; a moment that never came is None.

    Whoever does not sign has read and filled in (PS-42): `signed_at` is when that was confirmed.
    Codes by mail say who it was: one on entry, `mailbox_confirmed_at`, and, where the agreement
    asked for it, a fresh one at signing, `stepped_up_at`.
    `confirmed_again_at` is of another browser than opened it, in which it was signed.
    `browser` is what the signer's browser calls itself, `zone` an IANA name.
    """

    name: str
    email: str
    mailbox_confirmed_at: datetime | None = None
    opened_at: datetime | None = None
    confirmed_again_at: datetime | None = None
    stepped_up_at: datetime | None = None
    signed_at: datetime | None = None
    browser: str = ""
    zone: str = "UTC"
    signs: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCompletion:
    """One agreement that is done; `version` and `sha256` (hex) are of what was signed.

    Without `proof` the audit log's next checkpoint is still to be signed.
    """

    workspace_name: str
    title: str
    reference: str
    version: int
    sha256: str
    sent_at: datetime
    completed_at: datetime
    signers: tuple[SignerCompletion, ...]
    locale: str = "en"
    zone: str = "UTC"
    proof: Proof | None = None

    @staticmethod
    def in_utc(at: datetime) -> str:
        """A moment to the second, the same to everybody: "2026-12-06 14:05:09 UTC"."""
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
