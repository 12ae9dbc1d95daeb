"""What a directory's groups make of an account."""

import pytest

from domain.member import MemberState, Role
from domain.provision import ProvisionFields, Standing, faults_of, strongest

ACTIVE, DISABLED = MemberState.ACTIVE, MemberState.DISABLED
ADMIN, PUBLISHER, AUDITOR = Role.ADMIN, Role.PUBLISHER, Role.AUDITOR


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ([], None),
        ([AUDITOR], AUDITOR),
        ([AUDITOR, PUBLISHER], PUBLISHER),
        ([PUBLISHER, ADMIN, AUDITOR], ADMIN),
    ],
)
def test_the_strongest_group_is_the_role(groups: list[Role], role: Role | None) -> None:
    assert strongest(groups) is role


@pytest.mark.parametrize(
    ("standing", "groups", "is_active"),
    [
        (Standing(PUBLISHER, ACTIVE, None, False), {PUBLISHER}, True),
        (Standing(PUBLISHER, DISABLED, None, False), {PUBLISHER}, False),
        (Standing(PUBLISHER, ACTIVE, [PUBLISHER, AUDITOR], True), {PUBLISHER, AUDITOR}, True),
        (Standing(AUDITOR, DISABLED, [], True), set(), True),
        (Standing(AUDITOR, DISABLED, [], False), set(), False),
        (Standing(PUBLISHER, DISABLED, [PUBLISHER], True), {PUBLISHER}, False),
        (Standing(ADMIN, ACTIVE, [PUBLISHER], True), {ADMIN}, True),
        (Standing(AUDITOR, ACTIVE, [], True), {AUDITOR}, True),
        (Standing(PUBLISHER, MemberState.INVITED, None, False), {PUBLISHER}, True),
    ],
    ids=[
        "made here",
        "disabled here",
        "in two groups",
        "waits for a group",
        "in no group and not wanted",
        "disabled here although wanted",
        "another role was given here",
        "let in here without a group",
        "invited here",
    ],
)
def test_groups_and_activity_are_what_counts_now(
    standing: Standing, groups: set[Role], is_active: bool
) -> None:
    assert standing.groups == groups
    assert standing.is_active is is_active


def test_every_fault_of_a_statement_is_named() -> None:
    good = ProvisionFields("anna@office.example", "Anna")
    assert faults_of(good) == ()
    wrong = ProvisionFields("anna", " ", external_id="x" * 256, profile={"name": "x" * 20_000})
    pointers = [each.pointer for each in faults_of(wrong)]
    assert pointers == ["/userName", "/displayName", "/externalId", ""]
