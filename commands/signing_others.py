"""What a signer sees of the others: what they have filled in, and what is still to come."""

from typing import Any

from commands.signing import Signing
from domain.agreement_field import AgreementField
from domain.agreement_shown import ShownField, shown_sha256
from store.agreement import AgreementSignerRow

SALT = "salt"
"""In a signer's evidence, beside the values that those who come after are shown."""


def others_fields(found: Signing) -> tuple[ShownField, ...]:
    """Every field of another signer; with its value once that signer has signed."""
    others = [each for each in found.signers if each.position != found.position]
    return tuple(
        _shown(each, field) for each in others for field in found.version.fields_of(each.position)
    )


def _shown(signer: AgreementSignerRow, field: AgreementField) -> ShownField:
    if signer.signed_at is None:
        # What is only saved so far is its signer's own: it may still be anything.
        return ShownField(field, signer.name, is_done=False)
    value, salt = signer.values.get(field.key), signer.evidence.get(SALT, "")
    return ShownField(field, signer.name, is_done=True, value=value, salt=salt)


def shown_before(found: Signing) -> dict[str, Any]:
    """Whose values were before this signer on every page of its window, and their hash.

    Those who signed before the window was opened: who signs beside it, later, may have been shown
    or not. In an ordered agreement these are all who come before.
    """
    opened_at = found.row.opened_at if found.row else None
    positions = [
        each.position
        for each in found.signers
        if each.position != found.position
        and each.signed_at is not None
        and opened_at is not None
        and each.signed_at <= opened_at
    ]
    shown = [each for each in others_fields(found) if each.field.signer in positions]
    return {"positions": positions, "sha256": shown_sha256(shown)}
