"""Which permission each route of the JSON API asks for: the one place that says so (PS-41, EE-16).

A test holds it against the OpenAPI document: no route without a permission, none that is not there.
"""

from collections.abc import Mapping

from domain.permission import Permission

API = "/api/v1"

ASKS: Mapping[Permission, tuple[str, ...]] = {
    Permission.DEFINITIONS_READ: (
        "GET /forms",
        "GET /forms/{form}",
        "GET /documents",
        "GET /documents/{document}",
        "GET /lifecycles",
        "GET /lifecycles/{kind}",
        "GET /session-templates",
        "GET /session-templates/{template}",
    ),
    Permission.DEFINITIONS_EDIT: (
        "PUT /forms/{form}",
        "PUT /documents/{document}",
        "PUT /lifecycles/{kind}",
        "POST /session-templates",
        "PATCH /session-templates/{template}",
        "POST /session-templates/{template}/publish",
        "POST /session-templates/{template}/retire",
    ),
    Permission.PARTIES_READ: (
        "GET /parties",
        "GET /parties/{party_id}",
    ),
    Permission.PARTIES_EDIT: (
        "POST /parties",
        "PATCH /parties/{party_id}",
        "POST /parties/{party_id}/transitions",
        "POST /parties/{party_id}/unlock",
    ),
    Permission.SESSIONS_READ: (
        "GET /public-sessions",
        "GET /public-sessions/{session_id}",
        "GET /public-sessions/{session_id}/audit",
        "GET /public-sessions/{session_id}/mails",
    ),
    Permission.SESSIONS_MANAGE: (
        "POST /public-sessions",
        "POST /public-sessions/{session_id}/advance",
        "POST /public-sessions/{session_id}/correct-address",
        "POST /public-sessions/{session_id}/extend",
        "POST /public-sessions/{session_id}/reissue",
        "POST /public-sessions/{session_id}/resend",
        "POST /public-sessions/{session_id}/revoke",
        "POST /mail/bounces",
    ),
    Permission.SUBMISSIONS_READ: (
        "GET /parties/{party_id}/export",
        "GET /public-sessions/{session_id}/receipt",
        "GET /public-sessions/{session_id}/receipt.pdf",
        "GET /public-sessions/{session_id}/submissions",
        "GET /public-sessions/{session_id}/uploads",
        "GET /public-sessions/{session_id}/uploads/{upload_id}/content",
    ),
    Permission.AGREEMENTS_READ: (
        "GET /agreements",
        "GET /agreements/{agreement_id}",
        "GET /agreements/{agreement_id}/document.pdf",
        "GET /agreements/{agreement_id}/sealed.pdf",
        "GET /agreements/{agreement_id}/versions",
    ),
    Permission.AGREEMENTS_MANAGE: (
        "POST /agreements",
        "PATCH /agreements/{agreement_id}",
        "POST /agreements/{agreement_id}/cancel",
        "POST /agreements/{agreement_id}/send",
        "POST /agreements/{agreement_id}/signers/{position}/mail-copy",
    ),
    Permission.ERASE: (
        "POST /parties/{party_id}/erase",
        "POST /public-sessions/{session_id}/erase",
        "POST /agreements/{agreement_id}/erase",
    ),
    Permission.AUDIT_READ: (
        "GET /audit",
        "GET /audit/checkpoint",
        "GET /audit/export",
        "GET /audit/key",
        "GET /audit/proofs/consistency",
    ),
    Permission.REPORTS_READ: (
        "GET /reports/logins",
        "GET /reports/access",
    ),
    Permission.SETTINGS_READ: (
        "GET /mail-contents",
        "GET /mail-contents/{mail}/{language}",
        "GET /settings",
        "GET /sign-in-modes/federated",
        "GET /signing-certificate",
    ),
    Permission.SETTINGS_EDIT: (
        "PUT /mail-contents/{mail}/{language}",
        "POST /mail-contents/{mail}/{language}/preview",
        "POST /mail-contents/{mail}/{language}/reset",
        "PATCH /settings",
        "PUT /sign-in-modes/federated",
        "DELETE /sign-in-modes/federated",
        "POST /settings/preview",
        "POST /signing-certificate",
    ),
    Permission.MEMBERS_READ: (
        "GET /members",
        "GET /members/{member_id}",
    ),
    Permission.MEMBERS_MANAGE: (
        "POST /members",
        "PATCH /members/{member_id}",
        "POST /members/{member_id}/disable",
        "POST /members/{member_id}/enable",
        "POST /members/{member_id}/invite",
        "POST /members/{member_id}/reset-second-factor",
        "POST /members/{member_id}/unlock",
        "GET /member-sessions",
        "POST /member-sessions/{member_session_id}/kill",
    ),
}


def _named(line: str) -> tuple[str, str]:
    method, path = line.split(" ")
    return method, API + path


PERMISSION_OF: Mapping[tuple[str, str], Permission] = {
    _named(line): permission for permission, lines in ASKS.items() for line in lines
}
"""By method and path template."""
OPEN = frozenset({("POST", f"{API}/token"), ("POST", f"{API}/token/revoke")})
"""Routes that know no caller yet: they are how one comes to be known, and stops being it."""
