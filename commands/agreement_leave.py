"""What erasing a party means for the agreements that it was to sign."""

from contextlib import suppress
from uuid import UUID

from commands.agreement import AgreementTarget, cancel_agreement
from commands.attempt import attempt
from commands.work import Work
from domain.actor import Actor
from domain.agreement_errors import AgreementClosed
from store.agreement_erasure import unfinished_with


async def leave_agreements(
    work: Work, workspace_id: UUID, party_id: UUID, rationale: str, actor: Actor
) -> None:
    """Cancels members' agreements that a party is to sign, or has signed, with others to come.

    The sessions of everybody in them are locked. One that all have signed is sealed all the same.
    """
    for agreement_id in await unfinished_with(work.db, party_id):
        target = AgreementTarget(agreement_id, workspace_id, actor)
        # The last signature, or a member's cancelling, may have come first.
        with suppress(AgreementClosed):
            async with attempt(work):
                await cancel_agreement(work, target, rationale)
