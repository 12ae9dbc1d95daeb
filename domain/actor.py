"""Who did something, as the audit names them."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """The kinds of doers an audit row may name."""

    MEMBER = "member"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    PARTY = "party"
    VISITOR = "visitor"
    WORKFLOW = "workflow"
    OPERATOR = "operator"
    MAIL_SYSTEM = "mail_system"
    HOUSEKEEPING = "housekeeping"


@dataclass(frozen=True, slots=True)
class Actor:
    """A doer: its kind, its id, a label a person can read and an address to tell it of outcomes.

    `on_behalf_of` is the member whose rights it uses, while it acts for another (EE-13).
    """

    kind: ActorKind
    id: str
    label: str = ""
    email: str | None = None
    on_behalf_of: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


OPERATOR = Actor(ActorKind.OPERATOR, "cli", "Operator at the command line")
WORKFLOW = Actor(ActorKind.WORKFLOW, "public-session", "Gatepass")
MAIL_SYSTEM = Actor(ActorKind.MAIL_SYSTEM, "report", "Mail system")
HOUSEKEEPING = Actor(ActorKind.HOUSEKEEPING, "retention", "Gatepass, when retention is over")
SIGN_IN = Actor(ActorKind.VISITOR, "sign-in", "Somebody signing in")
MEMBER_SESSIONS = Actor(ActorKind.HOUSEKEEPING, "member-session", "Gatepass, when time is over")
VIRUS_CHECK = Actor(ActorKind.WORKFLOW, "upload-check", "Gatepass, asking the virus scanner")
NO_VIRUS_CHECK = Actor(
    ActorKind.HOUSEKEEPING, "upload-check", "Gatepass, where no virus scanner is set any more"
)
