"""The session template that every agreement is issued with: the product's own (PS-43).

Its two names are read by signers, each in their own language; whoever only reads and confirms
(PS-42) has other ones.
"""

from dataclasses import dataclass
from typing import Any

from domain.agreement_errors import TemplateReserved
from domain.task import TaskKind


def _(words: str) -> str:
    """Has the catalogues take words up; they are translated for whoever reads them."""
    return words


SIGNATURE_REQUEST = "signature-request"
"""Its key; no author writes it."""


@dataclass(frozen=True, slots=True)
class RequestNames:
    """What the session is called, and the one step in it."""

    session: str
    step: str


TO_SIGN = RequestNames(_("Signature request"), _("Review and sign"))
TO_CONFIRM = RequestNames(_("Confirmation request"), _("Review and confirm"))

BODY: dict[str, Any] = {
    "key": SIGNATURE_REQUEST,
    "name": TO_SIGN.session,
    "time_bound_days": 14,
    "scope": {"subject": "optional"},
    "tasks": [{"key": "sign", "kind": TaskKind.SIGNATURE.value, "title": TO_SIGN.step}],
}


def refuse_reserved(key: str) -> None:
    """Raises `TemplateReserved` for the key that is the product's own.

    Changed or retired, it would refuse or alter every agreement that is sent after.
    """
    if key == SIGNATURE_REQUEST:
        raise TemplateReserved(key)
