"""Issuing: by hand and by a lifecycle, once for each cause, on a version that stays."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from adapters.keyring import link_digest
from commands.definition import retire_template
from commands.party import Move, Moved, pass_transition
from domain.errors import NotFound, ScopeRefused, TemplateNotIssuable, TransitionRefused
from store.audit import AuditRow
from store.mail import MailRow
from store.party import PartyRow, PassageRow
from store.public_session import PublicSessionRow
from tests.rooms.house import ANNA, INTAKE, LIFECYCLE, START, TASKS, House


async def test_creating_a_party_issues_what_its_first_state_issues(house: House) -> None:
    # PS-4, PS-8, PS-33
    moved = await house.create()
    (session,) = moved.issued
    assert (session.template_key, session.party_id) == ("intake", moved.party.id)
    assert (session.issued_at, session.expires_at) == (START, START + timedelta(days=14))
    assert (session.status, session.issued_by) == ("issued", "token:t1")
    assert [each.key for each in await house.tasks(session.id)] == ["profile", "terms"]
    assert await house.audit(session.id) == ["issued"]


async def test_issuing_intends_one_workflow_and_one_invitation(house: House) -> None:
    # PS-18
    (session,) = (await house.create()).issued
    (mail,) = await house.mails(session.id)
    intents = [(each.workflow_id, each.signal) for each in await house.intents(session.id)]
    assert sorted(intents) == [(f"mail:{mail.id}", None), (f"public-session:{session.id}", None)]
    assert (mail.kind, session.mail_id, session.mail_state) == ("invitation", mail.id, "queued")


async def test_no_row_holds_a_link_or_an_address(house: House) -> None:
    moved = await house.create()
    (session,) = moved.issued
    token = await house.link(session.id)
    assert session.link_digest == link_digest(token)
    rows = [
        *await house.intents(session.id),
        *await house.all(MailRow),
        *await house.all(AuditRow),
    ]
    text = " ".join(str(each.model_dump()) for each in rows)
    assert token not in text
    assert moved.party.email not in text


async def test_a_template_is_issued_many_times_each_a_new_session(house: House) -> None:
    # PS-9
    party = (await house.create()).party
    first = await house.issue_to(party, "intake", "one")
    second = await house.issue_to(party, "intake", "two")
    assert first.session.id != second.session.id
    assert second.already_open is not None
    assert len(await house.all(PublicSessionRow)) == 3


async def test_the_same_cause_never_issues_twice(house: House) -> None:
    # PS-36
    party = (await house.create()).party
    await house.issue_to(party, "intake", "the cause")
    with pytest.raises(IntegrityError):
        await house.issue_to(party, "intake", "the cause")
    assert len(await house.all(PublicSessionRow)) == 2


async def pass_(house: House, party: PartyRow, transition: str, cause: str) -> Moved:
    async with house.transactions.work() as work:
        move = Move(transition, cause, ANNA)
        return await pass_transition(work, house.workspace_id, party.id, move)


async def test_the_same_trigger_moves_and_issues_once_even_at_the_same_moment(
    house: House,
) -> None:
    # PS-36
    party = (await house.create()).party
    moves = await asyncio.gather(*(pass_(house, party, "look", "event-7") for _ in range(8)))
    assert sum(len(each.issued) for each in moves) == 1
    assert (await house.party(party.id)).state == "review"
    templates = [each.template_key for each in await house.all(PublicSessionRow)]
    assert templates == ["intake", "diligence"]
    assert [each.transition for each in await house.all(PassageRow)] == [None, "look"]


async def test_two_identical_transitions_at_once_move_once(house: House) -> None:
    # different causes: the state decides
    party = (await house.create()).party
    outcomes = await asyncio.gather(
        *(pass_(house, party, "look", f"event-{each}") for each in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Moved", "TransitionRefused"]
    assert len(await house.all(PassageRow)) == 2


async def test_passing_a_state_again_issues_again(house: House) -> None:
    # PS-9: another trigger event
    party = (await house.create()).party
    for number, transition in enumerate(("look", "back", "look")):
        await pass_(house, party, transition, f"event-{number}")
    templates = [each.template_key for each in await house.all(PublicSessionRow)]
    assert templates == ["intake", "diligence", "intake", "diligence"]


async def test_a_party_without_lifecycle_has_no_transitions(house: House) -> None:
    party = (await house.create(kind="buyer")).party
    assert party.state == ""
    with pytest.raises(TransitionRefused):
        await pass_(house, party, "look", "event-1")


@pytest.mark.parametrize(
    ("party", "more", "reason"),
    [
        ({"kind": "buyer"}, {}, "not for a buyer"),
        ({}, {"template": "diligence"}, "state 'new', not in 'review'"),
        ({}, {"template": "diligence", "subject": "2026"}, "state 'new'"),
    ],
)
async def test_the_scope_is_enforced_at_issue(
    house: House, party: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    # PS-6, PS-39
    row = (await house.create(**party)).party
    before = len(await house.all(PublicSessionRow))
    with pytest.raises(ScopeRefused, match=reason):
        await house.issue_to(row, **({"template": "intake"} | more))
    assert len(await house.all(PublicSessionRow)) == before


async def test_a_subject_is_kept(house: House) -> None:
    party = (await house.create()).party
    issued = await house.issue_to(party, "intake", subject="Contract 7")
    assert issued.session.subject == "Contract 7"


async def test_drafts_issue_to_test_parties_only(house: House) -> None:
    # PS-32, PS-35
    await house.save("template", "new-one", INTAKE)
    real = (await house.create()).party
    trial = (await house.create(test=True)).party
    with pytest.raises(TemplateNotIssuable) as caught:
        await house.issue_to(real, "new-one")
    assert caught.value.status == "draft"
    session = (await house.issue_to(trial, "new-one")).session
    assert (session.template_version, (await house.tasks(session.id))[0].form_version) == (1, 1)


async def test_a_real_party_gets_the_published_version_while_a_draft_waits(house: House) -> None:
    # PS-7, PS-35
    await house.save("template", "intake", INTAKE | {"name": "Changed"})
    real = (await house.create()).party
    trial = (await house.create(test=True)).party
    issued = [(await house.issue_to(each, "intake")).session for each in (real, trial)]
    assert [(each.template_version, each.title) for each in issued] == [
        (1, "Vendor intake"),
        (2, "Changed"),
    ]


async def test_retired_templates_issue_to_nobody(house: House) -> None:
    # PS-35
    real, trial = (await house.create()).party, (await house.create(test=True)).party
    async with house.transactions.work() as work:
        await retire_template(work, house.workspace_id, "intake", ANNA)
    for party in (real, trial):
        with pytest.raises(TemplateNotIssuable) as caught:
            await house.issue_to(party, "intake")
        assert caught.value.status == "retired"


async def test_an_unknown_template_is_not_found(house: House) -> None:
    party = (await house.create()).party
    with pytest.raises(NotFound):
        await house.issue_to(party, "nothing")


async def test_a_running_session_stays_on_the_versions_it_was_issued_with(house: House) -> None:
    # PS-35, PS-41
    (session,) = (await house.create()).issued
    await house.save("document", "terms", {"title": "New terms", "markdown": "# Other"})
    await house.publish("intake", INTAKE | {"tasks": list(TASKS[1:]), "time_bound_days": 3})
    tasks = await house.tasks(session.id)
    assert [(each.key, each.document_version) for each in tasks] == [
        ("profile", None),
        ("terms", 1),
    ]
    assert (await house.session(session.id)).expires_at == START + timedelta(days=14)
    newer = (await house.create()).issued[0]
    assert newer.template_version == 2
    assert [each.document_version for each in await house.tasks(newer.id)] == [2]


async def test_a_running_session_completes_after_its_template_is_retired(house: House) -> None:
    # PS-35
    (session,) = (await house.create()).issued
    async with house.transactions.work() as work:
        await retire_template(work, house.workspace_id, "intake", ANNA)
    visitor = await house.enter(session.id)
    for task in ("profile", "terms"):
        await house.complete(visitor, task)
    assert (await house.session(session.id)).status == "completed"


async def test_a_party_without_address_shows_on_its_session(house: House) -> None:
    # PS-37
    (session,) = (await house.create(email="")).issued
    assert (session.mail_state, session.mail_detail) == ("refused", "no_contact_address")
    assert await house.all(MailRow) == []
    assert [each.workflow for each in await house.intents(session.id)] == ["PublicSession"]


async def test_a_later_lifecycle_version_is_the_one_that_issues(house: House) -> None:
    states = [{"key": "new"}, {"key": "review", "issues": ["diligence"]}]
    await house.save("lifecycle", "vendor", LIFECYCLE | {"states": states})
    assert (await house.create()).issued == []
