"""What a signer is shown: first what it is, then, in the window that holds the place, the viewer.

EX-8 to EX-14, EX-19, PS-42.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from api.answers import Answers
from api.signature_changes import shown_changes
from api.signature_left_behind import newest_left_behind, shown_drafts
from api.signature_post import is_drawn, values_in, write_in
from api.task_page import Place, Posted, TaskPage
from commands.code import CodeMail
from commands.setting import exit_url
from commands.signature_task import CONSENT, FIELDS, asks_step_up, has_stepped_up
from commands.signing import Signing, window_of, window_policy
from commands.signing_others import others_fields
from commands.signing_session import signing_in
from commands.step_up import step_up_mail
from domain.agreement import AgreementState
from domain.agreement_errors import AgreementClosed
from domain.agreement_field import MARKS, AgreementField, FieldKind
from domain.agreement_shown import ShownField
from domain.errors import AnswersRefused
from domain.window import beat_ms

WINDOW_BYTES = 16


class SignaturePage(TaskPage):
    """A document to be read, filled in and signed."""

    @override
    async def read(self, place: Place, posted: Posted) -> Mapping[str, Any]:
        write = write_in(place.task.key, posted)
        return {
            "window": write.place.window,
            "fence": write.place.fence,
            "version": write.given.version,
            "sha256": write.given.sha256,
            FIELDS: values_in(posted),
            CONSENT: dict(posted).get(CONSENT) == "yes",
        }

    @override
    async def show(
        self, place: Place, locale: str, refused: AnswersRefused | None
    ) -> dict[str, Any]:
        found = await signing_in(place.work, place.room, place.task.key)
        if found.agreement.state == AgreementState.CANCELLED:
            raise AgreementClosed(found.agreement.state, "sign")
        if refusal := found.value.refuses_again(found.position):
            raise refusal
        window = window_of(place.work, found)
        policy = window_policy(place.work)
        if lost := window.refuses_page(place.window, place.work.at, policy):
            raise lost
        holds = place.window == window.holder != ""
        shown = {
            "signing": found,
            "exit_url": await signers_exit(place),
            "is_viewer": holds,
            "is_held": not holds and window.is_alive(place.work.at, policy),
            "beat_ms": beat_ms(policy.alive),
            "nonce": secrets.token_urlsafe(WINDOW_BYTES),
        }
        return shown | await _viewer(place, found, refused) if holds else shown

    @override
    async def recall(self, place: Place, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
        found = await signing_in(place.work, place.room, place.task.key)
        answers: list[tuple[str, str]] = [
            (each.label, _in_words(each, body[FIELDS][each.key]))
            for each in found.fields
            if each.key in body[FIELDS]
        ]
        whole: Answers = ((found.version.title, tuple(answers)),) if answers else ()
        return {"answers": whole, "document": None}


def _in_words(field: AgreementField, value: Any) -> str:
    if field.kind is FieldKind.CHECKBOX:
        return "✓"
    if field.kind in MARKS:
        return str(value.get("typed") or "✓")
    return str(value)


async def signers_exit(place: Place) -> str:
    """Where whoever cancels is led: the company's page, or ours (EX-11, EX-13)."""
    session = place.room.session
    return await exit_url(place.work, session.workspace_id) or f"/sessions/{session.id}/exit"


@dataclass(frozen=True, slots=True)
class Spot:
    """One field on a page: its number among the signer's own, and what is in it."""

    number: int
    field: AgreementField
    value: Any

    @property
    def drawing(self) -> str:
        """A drawn mark as its hidden input has it."""
        if not is_drawn(self.value):
            return ""
        return json.dumps(self.value, separators=(",", ":"))

    @property
    def text(self) -> str:
        """What was typed."""
        if isinstance(self.value, Mapping):
            return str(self.value.get("typed", ""))
        return self.value if isinstance(self.value, str) else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: the signer's own fields in reading order, what is filled in, what is others'."""

    number: int
    own: tuple[Spot, ...]
    filled: tuple[AgreementField, ...]
    others: tuple[ShownField, ...]


async def _viewer(place: Place, found: Signing, refused: AnswersRefused | None) -> dict[str, Any]:
    values = dict(refused.values) if refused and refused.values else found.values
    sheets = _sheets(found, values)
    return {
        "sheets": sheets,
        "done_before": [each for sheet in sheets for each in sheet.others if each.is_done],
        "is_beside_others": _is_beside_others(found),
        "spots": [each for sheet in sheets for each in sheet.own],
        "changes": shown_changes(found),
        "left_behind": shown_drafts(found),
        "left_behind_newest": newest_left_behind(found),
        "saved_digest": digest_of(found),
        "is_stepped_up": has_stepped_up(place.work, found),
        "code_mail": await _code_mail(place, found),
        "digits": place.work.settings.code_digits,
        "is_consented": bool(refused) and CONSENT not in (refused.errors if refused else {}),
    }


def _is_beside_others(found: Signing) -> bool:
    """Whether others may fill in what is theirs after this signature, which has not seen it."""
    others = [each for each in found.value.signers if each.position != found.position]
    return not found.agreement.ordered and not all(each.is_done for each in others)


async def _code_mail(place: Place, found: Signing) -> CodeMail | None:
    # Whoever only reads confirms as well: what asks for the code is what refuses without it.
    return await step_up_mail(place.work, place.room) if asks_step_up(found) else None


def digest_of(found: Signing) -> str:
    """What was saved so far, in short: a page that shows something else is behind."""
    saved = json.dumps(found.row.values if found.row else {}, sort_keys=True)
    return hashlib.sha256(saved.encode()).hexdigest()[:16]


def _sheets(found: Signing, values: Mapping[str, Any]) -> list[Sheet]:
    placed = in_reading_order(found.version.fields)
    own = [each for each in placed if each.signer == found.position]
    others = sorted(others_fields(found), key=lambda each: _reading(each.field))
    numbers = {each.key: at for at, each in enumerate(own, 1)}
    return [
        Sheet(
            page,
            tuple(
                Spot(numbers[each.key], each, values.get(each.key))
                for each in own
                if each.page == page
            ),
            tuple(each for each in placed if each.page == page and each.signer is None),
            tuple(each for each in others if each.field.page == page),
        )
        for page in range(1, len(found.version.pages) + 1)
    ]


def in_reading_order(fields: Iterable[AgreementField]) -> list[AgreementField]:
    """Fields as they are read: from page to page, from the top down, what is level by its x."""
    return sorted(fields, key=_reading)


def _reading(field: AgreementField) -> tuple[int, float, float]:
    return field.page, round(field.y, 2), field.x
