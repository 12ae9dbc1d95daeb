"""One signer at one task: the agreement, its version, and the window that may write (EX-8).

The public session's row is locked before the agreement's, and that by whoever writes a window; so a
takeover, a new version and a signature meet, and exactly one wins (EX-21).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.agreement import Agreement, Pinned
from domain.agreement_errors import ChangesUnconfirmed, WindowLost
from domain.agreement_field import AgreementField
from domain.agreement_version import AgreementVersion, Change, changes, kept
from domain.binding import IdlePolicy
from domain.errors import NotFound
from domain.messages import Revoked
from domain.task import TaskKind
from domain.window import Place, Window, WindowEnd, WindowPolicy
from domain.workflow_names import REVOKE, SIGNING_SESSION, signing_session_id
from store.agreement import (
    AgreementRow,
    AgreementSignerRow,
    agreement_by_id,
    agreement_value,
    version_of,
)
from store.public_session import PublicSessionRow, TaskRow
from store.signing_session import SigningSessionRow, parts_of


@dataclass(frozen=True, slots=True)
class Signing:
    """One signer at one task, as it is now. `row` is None until a window was opened."""

    session: PublicSessionRow
    task: TaskRow
    agreement: AgreementRow
    version: AgreementVersion
    signers: tuple[AgreementSignerRow, ...]
    row: SigningSessionRow | None
    seen: AgreementVersion

    @property
    def actor(self) -> Actor:
        """The signer, as the audit names it."""
        return Actor(ActorKind.PARTY, str(self.session.party_id))

    @property
    def value(self) -> Agreement:
        """The agreement's domain value."""
        return agreement_value(self.agreement, self.signers)

    @property
    def position(self) -> int:
        """Which signer this is."""
        return self.task.signer or 0

    @property
    def signer(self) -> AgreementSignerRow:
        """This signer's row."""
        return next(each for each in self.signers if each.position == self.position)

    @property
    def current(self) -> Pinned:
        """The version a write must name."""
        return Pinned(self.agreement.version, self.agreement.digest)

    @property
    def fields(self) -> tuple[AgreementField, ...]:
        """What this signer fills in."""
        return self.version.fields_of(self.position)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed since this signer last saw it, to be confirmed (N7)."""
        return changes(self.seen, self.version)

    @property
    def values(self) -> dict[str, Any]:
        """What was entered so far and still fits."""
        return kept(self.row.values, self.seen, self.version) if self.row else {}


def window_policy(work: Work) -> WindowPolicy:
    """How long a signer's window may be silent, from the settings (C18)."""
    settings = work.settings
    return WindowPolicy(
        IdlePolicy(settings.signing_idle, settings.signing_grace), settings.window_alive
    )


async def signing_of(
    work: Work, session: PublicSessionRow, task: TaskRow, *, lock: bool = False
) -> Signing:
    """The signing of one task; raises `NotFound`."""
    if task.kind != TaskKind.SIGNATURE or task.agreement_id is None:
        raise NotFound("task")
    agreement = await agreement_by_id(work.db, task.agreement_id, lock=lock)
    if agreement is None:
        raise NotFound("agreement")
    parts = await parts_of(work.db, agreement, task.id)
    row, version = parts.window, parts.version.value
    seen = version
    if row is not None and row.seen_version != agreement.version:
        seen = (await version_of(work.db, agreement.id, row.seen_version)).value
    return Signing(session, task, agreement, version, parts.signers, row, seen)


def window_of(work: Work, found: Signing) -> Window:
    """The place as it is; another browser of the session has none here any more."""
    if found.row is None:
        return Window("", 0, work.at, work.at)
    if found.row.binding_id != found.session.binding_id and found.row.end_reason is None:
        return Window(
            found.row.holder,
            found.row.fence,
            found.row.heard_at,
            found.row.active_at,
            WindowEnd.OPENED_ELSEWHERE,
        )
    return found.row.window


@dataclass(frozen=True, slots=True)
class SigningWrite:
    """What every write of a window says: for which task and version, from which place (EX-20)."""

    task: str
    place: Place
    given: Pinned


async def held_signing(
    work: Work, session: PublicSessionRow, task: TaskRow, write: SigningWrite
) -> Signing:
    """The signing, locked, as the window that holds it may write to it; counts as activity.

    Raises `WindowLost`, `AgreementStale` or `AgreementClosed`, whatever the page showed.
    """
    found = await signing_of(work, session, task, lock=True)
    held_row(work, found, write.place)
    if refusal := found.value.refuses_signing(found.position, write.given):
        raise refusal
    return found


def held_row(work: Work, found: Signing, place: Place) -> SigningSessionRow:
    """The row of a window that holds its place; raises `WindowLost` for any other."""
    window = window_of(work, found)
    if refusal := window.refuses(place, work.at, window_policy(work)):
        raise refusal
    if found.row is None:
        raise WindowLost(WindowEnd.OPENED_ELSEWHERE)
    found.row.hold(found.row.window.heard(work.at, active=True))
    return found.row


def end_window(work: Work, row: SigningSessionRow, fact: UUID) -> None:
    """Nobody may act from it any more, and its workflow is told: what `fact` names is over."""
    if row.end_reason is None:
        row.end_reason, row.ended_at = WindowEnd.SESSION_ENDED, work.at
    told = Revoked(str(fact))
    work.tell_workflow(SIGNING_SESSION, signing_session_id(row.id), REVOKE, told)


def refuse_unseen(found: Signing) -> None:
    """Raises `ChangesUnconfirmed` while there is something the signer has not seen (N7)."""
    if found.changes:
        raise ChangesUnconfirmed(tuple(each.key for each in found.changes))
