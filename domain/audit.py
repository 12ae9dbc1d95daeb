"""The vocabulary of the audit log (PS-25).

Grammar: `noun.past_participle`, the noun being the subject's kind. A word is never reused for
another meaning and never removed while rows carry it.
"""

from enum import StrEnum


class AuditEvent(StrEnum):
    """Everything that is written down."""

    WORKSPACE_CREATED = "workspace.created"
    KEY_ROTATED = "key.rotated"
    KEY_EPOCH_DESTROYED = "key.epoch_destroyed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - a word, not a secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - as above
    FORM_SAVED = "form.saved"
    DOCUMENT_SAVED = "document.saved"
    LIFECYCLE_SAVED = "lifecycle.saved"
    TEMPLATE_SAVED = "session_template.saved"
    TEMPLATE_PUBLISHED = "session_template.published"
    TEMPLATE_RETIRED = "session_template.retired"
    PARTY_CREATED = "party.created"
    PARTY_CHANGED = "party.changed"
    PARTY_ADDRESS_CORRECTED = "party.address_corrected"
    PARTY_TRANSITIONED = "party.transitioned"
    PARTY_VERIFICATION_LOCKED = "party.verification_locked"
    PARTY_VERIFICATION_UNLOCKED = "party.verification_unlocked"
    SESSION_ISSUED = "public_session.issued"
    SESSION_CODE_REQUESTED = "public_session.code_requested"
    SESSION_CODE_REFUSED = "public_session.code_refused"
    SESSION_ACTIVATED = "public_session.activated"
    SESSION_TAKEN_OVER = "public_session.taken_over"
    SESSION_RESUMED = "public_session.resumed"
    SESSION_LEFT = "public_session.left"
    SESSION_IDLED_OUT = "public_session.idled_out"
    SESSION_COMPLETED = "public_session.completed"
    SESSION_DECLINED = "public_session.declined"
    SESSION_EXPIRED = "public_session.expired"
    SESSION_REVOKED = "public_session.revoked"
    SESSION_EXTENDED = "public_session.extended"
    SESSION_RESENT = "public_session.resent"
    SESSION_REPLACED = "public_session.replaced"
    SESSION_REISSUED = "public_session.reissued"
    SESSION_REMINDED = "public_session.reminded"
    SESSION_LINK_RENEWED = "public_session.link_renewed"
    SESSION_ADVANCED = "public_session.advanced"
    SESSION_ADVANCE_BLOCKED = "public_session.advance_blocked"
    SUBMISSIONS_READ = "public_session.submissions_read"
    TASK_COMPLETED = "task.completed"
    UPLOAD_RECEIVED = "upload.received"
    UPLOAD_REMOVED = "upload.removed"
    UPLOAD_REFUSED = "upload.refused"
    UPLOAD_CHECKED = "upload.checked"
    UPLOAD_DOWNLOADED = "upload.downloaded"
    UPLOAD_ERASED = "upload.erased"
    SESSION_ERASED = "public_session.erased"
    PARTY_ERASED = "party.erased"
    PARTY_EXPORTED = "party.exported"
    RECEIPT_READ = "public_session.receipt_read"
    MAIL_REFUSED = "mail.refused"
    MAIL_BOUNCED = "mail.bounced"
