"""Asks signers: each one's turn is a public session with one signature task (PS-43)."""

from collections.abc import Sequence
from uuid import UUID

from commands.issue import Issue, asked_signer, issue
from commands.mail import queue_signer_mail
from commands.party import find_party
from commands.public_session import Target, revoke
from commands.work import Work
from domain.actor import Actor
from domain.definition import DefinitionKind, DefinitionStatus
from domain.errors import Erased, SessionEnded
from domain.mail import MailKind
from domain.signature_request import BODY, SIGNATURE_REQUEST
from store.agreement import AgreementRow, AgreementSignerRow, agreement_value
from store.definition import DefinitionRow, latest_definition, lock_definitions


async def invite_due(
    work: Work, row: AgreementRow, signers: Sequence[AgreementSignerRow], actor: Actor
) -> int:
    """Issues a public session to every signer whose turn it is; how many. The row is locked."""
    due = {each.position for each in agreement_value(row, signers).to_invite}
    if due:
        await _keep_template(work, row)
    for each in signers:
        if each.position in due:
            await _invite(work, row, each, actor)
    return len(due)


async def _invite(work: Work, row: AgreementRow, signer: AgreementSignerRow, actor: Actor) -> None:
    party = await find_party(work, row.workspace_id, signer.party_id, lock=True)
    wanted = Issue(
        template=SIGNATURE_REQUEST,
        cause=f"agreement:{row.id}:{signer.position}",
        actor=actor,
        subject=row.title,
        asked=asked_signer(row, signer),
    )
    signer.session_id = (await issue(work, party, wanted)).session.id


async def _keep_template(work: Work, row: AgreementRow) -> None:
    """Has the template there as the product has it: another of this key is superseded."""
    kind = DefinitionKind.TEMPLATE
    await lock_definitions(work.db, row.workspace_id, kind)
    last = await latest_definition(work.db, row.workspace_id, kind, SIGNATURE_REQUEST)
    if last is not None and last.status == DefinitionStatus.PUBLISHED and last.body == BODY:
        return
    work.db.add(
        DefinitionRow(
            workspace_id=row.workspace_id,
            kind=kind,
            key=SIGNATURE_REQUEST,
            version=last.version + 1 if last else 1,
            status=DefinitionStatus.PUBLISHED,
            body=BODY,
            digest="",
            created_at=work.at,
            published_at=work.at,
        )
    )
    await work.db.flush()


def _invited(signers: Sequence[AgreementSignerRow]) -> list[UUID]:
    return sorted(each.session_id for each in signers if each.session_id)


async def end_invited(
    work: Work,
    row: AgreementRow,
    signers: Sequence[AgreementSignerRow],
    actor: Actor,
    rationale: str,
) -> None:
    """Revokes the public sessions of those who were asked and are not done (EX-23).

    Those who have signed are told by mail as well. All these sessions are locked.
    """
    signed = {each.session_id for each in signers if each.signed_at}
    for session_id in _invited(signers):
        if session_id in signed:
            cause = f"cancelled:{row.id}"
            await queue_signer_mail(work, session_id, MailKind.REVOKED, cause)
            continue
        target = Target(session_id, row.workspace_id, actor)
        try:
            await revoke(work, target, rationale)
        except (SessionEnded, Erased):
            # Declined, run out or erased before: nothing is left to end.
            continue
