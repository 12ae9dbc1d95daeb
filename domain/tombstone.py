"""What must stay ended when the database is restored from a backup that does not know of it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

PLACE = "gone"
ORPHANS_KEPT_FOR = timedelta(days=30)
"""After a restore, files of which the older database knows nothing are kept for this long."""


class Fate(StrEnum):
    """What became of a session, party, agreement or token; the first four are ends of a session."""

    COMPLETED = "completed"
    DECLINED = "declined"
    REVOKED = "revoked"
    REISSUED = "reissued"
    SESSION_ERASED = "session_erased"
    PARTY_ERASED = "party_erased"
    AGREEMENT_ERASED = "agreement_erased"
    ADDRESS_CORRECTED = "address_corrected"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a word, not a secret


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Says of one id what became of it. Its name tells nothing else."""

    fate: Fate
    subject_id: UUID

    @property
    def name(self) -> str:
        """Where it lies in the object store."""
        return f"{PLACE}/{self.fate}/{self.subject_id}"

    @classmethod
    def named(cls, name: str) -> "Tombstone | None":
        """The tombstone of a name; None for what is none."""
        try:
            place, fate, subject_id = name.split("/")
            found = cls(Fate(fate), UUID(subject_id))
        except ValueError:
            return None
        return found if place == PLACE else None
