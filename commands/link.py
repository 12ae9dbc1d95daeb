"""Renews links: a corrected address makes the old link dead and mails a new one (C14)."""

from uuid import UUID

from adapters.keyring import link_digest
from commands.mail import invitation_of, queue_party_mail
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.errors import PartyInvalid
from domain.fault import Fault
from domain.party import is_address
from domain.tombstone import Fate
from store.binding import binding_by_id
from store.code import end_codes
from store.party import party_by_id
from store.public_session import PublicSessionRow, open_sessions_of_party


async def renew_links(
    work: Work, workspace_id: UUID, party_id: UUID, email: str, actor: Actor
) -> list[PublicSessionRow]:
    """Changes a party's address and renews the link of each of its open sessions.

    The browser that was bound is no longer, living codes end, and an invitation goes to the new
    address. The same address again changes nothing. Raises `PartyInvalid`.
    """
    if email and not is_address(email):
        fault = Fault("/email", "must be one mail address, such as anna@example.com")
        raise PartyInvalid((fault,))
    # Sessions before the party: every verb locks in this order.
    sessions = list(await open_sessions_of_party(work.db, party_id))
    party = await party_by_id(work.db, workspace_id, party_id, lock=True)
    if party is None or party.email == email:
        return []
    party.email, party.updated_at = email, work.at
    work.lay_tombstone(Fate.ADDRESS_CORRECTED, party.id)
    # What was issued while the party's lock was waited for has the old address too.
    known = {each.id for each in sessions}
    sessions += [
        each for each in await open_sessions_of_party(work.db, party_id) if each.id not in known
    ]
    # The audit says that the address changed; the addresses themselves stay in their row.
    work.audit_party(AuditEvent.PARTY_ADDRESS_CORRECTED, workspace_id, party.id, actor)
    for session in sessions:
        await _renew(work, session, actor)
        kind = await invitation_of(work, session)
        await queue_party_mail(work, session, party, kind, f"epoch-{session.link_epoch}")
    return sessions


async def _renew(work: Work, session: PublicSessionRow, actor: Actor) -> None:
    session.link_epoch += 1
    session.key_version = work.keyring.current
    token = work.keyring.link_token(session.id, session.link_epoch, session.key_version)
    session.link_digest = link_digest(token)
    await end_codes(work.db, session.id, work.at)
    await end_binding(work, session, BindingEnd.LINK_RENEWED)
    work.audit_session(
        AuditEvent.SESSION_LINK_RENEWED, session, actor, details={"epoch": session.link_epoch}
    )


async def end_binding(work: Work, session: PublicSessionRow, reason: BindingEnd) -> None:
    """Takes the place from the browser that has it, if one has."""
    if session.binding_id is None:
        return
    binding = await binding_by_id(work.db, session.binding_id)
    if binding.end_reason is None:
        binding.end_reason, binding.ended_at = reason, work.at
    session.binding_id = None
