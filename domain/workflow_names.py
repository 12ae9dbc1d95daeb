"""Names that the API, the worker and an operator's command line must agree on."""

from uuid import UUID

PUBLIC_SESSION = "PublicSession"
MAIL = "Mail"
HOUSEKEEPING = "Housekeeping"
UPLOAD_CHECK = "UploadCheck"
SIGNING_SESSION = "SigningSession"
AGREEMENT = "Agreement"

SESSION_QUEUE = "gatepass-sessions"
MAIL_QUEUE = "gatepass-mail"
HOUSEKEEPING_QUEUE = "gatepass-housekeeping"
UPLOAD_CHECK_QUEUE = "gatepass-upload-checks"
AGREEMENT_QUEUE = "gatepass-agreements"
SIGNING_QUEUE = "gatepass-signing"
QUEUE_OF = {
    PUBLIC_SESSION: SESSION_QUEUE,
    MAIL: MAIL_QUEUE,
    HOUSEKEEPING: HOUSEKEEPING_QUEUE,
    UPLOAD_CHECK: UPLOAD_CHECK_QUEUE,
    SIGNING_SESSION: SIGNING_QUEUE,
    AGREEMENT: AGREEMENT_QUEUE,
}

STARTED_ANEW = frozenset({AGREEMENT})
"""Keep nothing of their own: one that is over may be started under its id again, after a restore.

A start that comes twice does no harm: the second finds nothing to do and ends.
"""

HOUSEKEEPING_SCHEDULE = "housekeeping"
"""The id of the schedule; its runs' ids begin with it."""

TASK_COMPLETED = "task_completed"
TAKE_OVER = "take_over"
REVOKE = "revoke"
DECLINED = "declined"
DEADLINE_MOVED = "deadline_moved"
LEFT = "left"
SIGNED = "signed"
CHANGED = "changed"
CANCELLED = "cancelled"


def public_session_id(session_id: UUID) -> str:
    """The workflow id of a public session."""
    return f"public-session:{session_id}"


def signing_session_id(signing_id: UUID) -> str:
    """The workflow id of a signing session."""
    return f"signing-session:{signing_id}"


def agreement_id(agreement: UUID) -> str:
    """The workflow id of an agreement."""
    return f"agreement:{agreement}"


def mail_id(mail: UUID) -> str:
    """The workflow id of a mail."""
    return f"mail:{mail}"


def upload_check_id(upload_id: UUID, again: int = 0) -> str:
    """The workflow id of the virus check of an upload, and of each time it is started again."""
    return f"upload-check:{upload_id}" + (f":{again}" if again else "")
