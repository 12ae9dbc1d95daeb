"""What a signer's windows had not saved when they lost their place: kept, used, let go (C7, N8)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commands.room import Visitor, enter, enter_to_act
from commands.signing import Signing, SigningWrite, held_signing, signing_of
from commands.work import Work
from domain.agreement_answers import read_answers
from domain.audit import AuditEvent
from domain.left_behind import LeftBehind, draft_of, entries_in, with_draft, without
from store.agreement import known_version
from store.columns import new_id


async def keep_left_behind(
    work: Work, visitor: Visitor, write: SigningWrite, values: Mapping[str, Any]
) -> bool:
    """What a window that had lost its place had not saved: a draft of its own, never merged.

    Whether there was anything to keep. What does not fit its field is kept too, as text. Raises
    as `enter`, and the session's refusal.
    """
    room = await enter(work, visitor, lock=True)
    if refusal := room.value.refuses(work.at):
        raise refusal
    found = await signing_of(work, room.session, room.task(write.task), lock=True)
    # One that idled out has the present fence still.
    if found.row is None or not 0 < write.place.fence <= found.row.fence:
        return False
    draft = await _draft(work, found, write, values)
    if draft.count:
        found.row.drafts, dropped = with_draft(found.row.drafts, draft)
        for each in dropped:
            _note_let_go(work, found, each)
    return draft.count > 0


async def _draft(
    work: Work, found: Signing, write: SigningWrite, values: Mapping[str, Any]
) -> LeftBehind:
    fits = read_answers(found.fields, values, str, whole=False).values
    saved = found.row.values if found.row else {}
    labels = await _labels(work, found, write)
    content = {key: value for key, value in fits.items() if saved.get(key) != value}
    return LeftBehind(
        id=str(new_id()),
        window=write.place.window,
        fence=write.place.fence,
        at=work.at.isoformat(),
        content=content,
        unfit=entries_in(labels, values, fits),
        labels={key: labels[key] for key in content},
    )


async def _labels(work: Work, found: Signing, write: SigningWrite) -> dict[str, str]:
    """Of the signer's fields, as they are and as the window was shown them."""
    given = write.given.version
    shown = await known_version(work.db, found.agreement.id, given)
    versions = (*([shown.value] if shown else []), found.seen, found.version)
    return {
        each.key: each.label for version in versions for each in version.fields_of(found.position)
    }


async def use_left_behind(
    work: Work, visitor: Visitor, write: SigningWrite, draft_id: str
) -> Signing:
    """The person takes over one draft, as far as it fits; the rest stays to be copied.

    Nothing happens to a draft that is there no more. Raises as `held_signing`.
    """
    found = await _held(work, visitor, write)
    row = found.row
    draft = draft_of(row.drafts, draft_id) if row else None
    if row is None or draft is None:
        return found
    fits = read_answers(found.fields, draft.content, str, whole=False).values
    row.values = row.values | fits
    rest = {key: value for key, value in draft.content.items() if key not in fits}
    left = replace(draft, content={}, unfit=draft.unfit + replace(draft, content=rest).entries)
    kept = tuple(left if each.id == draft_id else each for each in row.drafts)
    row.drafts = tuple(each for each in kept if each.count)
    return found


async def let_go_left_behind(
    work: Work, visitor: Visitor, write: SigningWrite, draft_id: str
) -> Signing:
    """The person lets one draft go; nothing happens to one that is there no more.

    Raises as `held_signing`.
    """
    found = await _held(work, visitor, write)
    draft = draft_of(found.row.drafts, draft_id) if found.row else None
    if found.row is not None and draft is not None:
        found.row.drafts = without(found.row.drafts, draft_id)
        _note_let_go(work, found, draft)
    return found


async def _held(work: Work, visitor: Visitor, write: SigningWrite) -> Signing:
    room = await enter_to_act(work, visitor, lock=True)
    return await held_signing(work, room.session, room.task(write.task), write)


def _note_let_go(work: Work, found: Signing, draft: LeftBehind) -> None:
    details = {"task": found.task.key, "fence": draft.fence}
    work.audit_session(AuditEvent.SIGNING_LET_GO, found.session, found.actor, details=details)
