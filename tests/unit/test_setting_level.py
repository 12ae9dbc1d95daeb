"""Which level of a setting counts, and where each may be set (N16)."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fault import Fault
from domain.setting import Setting, SettingLevel, SettingScope
from domain.setting_level import (
    Effective,
    Origin,
    effective,
    faults_on,
    set_by_installation,
    usable_on,
)
from domain.setting_value import fault_of, plain_value, read_value
from domain.settings import BY_NAME, CATALOGUE, Settings

INSTALLATION, WORKSPACE, TEMPLATE, SESSION = SettingLevel
IDLE = "binding.idle"
DEFAULT = 1800
SET = {INSTALLATION: 1000, WORKSPACE: 900, TEMPLATE: 600, SESSION: 300}

GOLDEN = [
    # installation, workspace, template, session -> what counts, and where it comes from
    ((), DEFAULT, Origin.DEFAULT),
    ((INSTALLATION,), 1000, Origin.INSTALLATION),
    ((WORKSPACE,), 900, Origin.WORKSPACE),
    ((INSTALLATION, WORKSPACE), 900, Origin.WORKSPACE),
    ((TEMPLATE,), 600, Origin.TEMPLATE),
    ((INSTALLATION, TEMPLATE), 600, Origin.TEMPLATE),
    ((WORKSPACE, TEMPLATE), 600, Origin.TEMPLATE),
    ((INSTALLATION, WORKSPACE, TEMPLATE), 600, Origin.TEMPLATE),
    ((SESSION,), 300, Origin.SESSION),
    ((INSTALLATION, SESSION), 300, Origin.SESSION),
    ((WORKSPACE, SESSION), 300, Origin.SESSION),
    ((INSTALLATION, WORKSPACE, SESSION), 300, Origin.SESSION),
    ((TEMPLATE, SESSION), 300, Origin.SESSION),
    ((INSTALLATION, TEMPLATE, SESSION), 300, Origin.SESSION),
    ((WORKSPACE, TEMPLATE, SESSION), 300, Origin.SESSION),
    ((INSTALLATION, WORKSPACE, TEMPLATE, SESSION), 300, Origin.SESSION),
]


@pytest.mark.parametrize(("levels", "value", "origin"), GOLDEN)
def test_the_nearest_level_counts(
    levels: tuple[SettingLevel, ...], value: int, origin: Origin
) -> None:
    # N16: golden, each of the sixteen cases
    set_on = {each: {IDLE: SET[each]} for each in levels}
    assert effective(BY_NAME[IDLE], set_on) == Effective(value, origin)


def test_the_golden_cases_are_all_there_are() -> None:
    assert len({frozenset(levels) for levels, _, _ in GOLDEN}) == 2 ** len(SettingLevel)


values = st.dictionaries(st.sampled_from(sorted(BY_NAME)), st.integers(), max_size=6)


@given(st.sampled_from(CATALOGUE), st.dictionaries(st.sampled_from(SettingLevel), values))
def test_what_counts_is_of_the_last_level_that_may_and_does_set_it(
    setting: Setting, set_on: dict[SettingLevel, dict[str, int]]
) -> None:
    # N16: against the plainest reading, for any setting and whatever the levels say
    expected = Effective(plain_value(setting.default), Origin.DEFAULT)
    for level in SettingLevel:
        if level in setting.levels and setting.name in set_on.get(level, {}):
            expected = Effective(set_on[level][setting.name], Origin(level.value))
    assert effective(setting, set_on) == expected


@given(st.dictionaries(st.sampled_from(SettingLevel), values), st.sampled_from(SettingLevel))
def test_a_level_says_nothing_of_settings_that_it_leaves_out(
    set_on: dict[SettingLevel, dict[str, int]], level: SettingLevel
) -> None:
    without = {each: said for each, said in set_on.items() if each is not level}
    for setting in CATALOGUE:
        if setting.name not in set_on.get(level, {}):
            assert effective(setting, set_on) == effective(setting, without)


def test_levels_are_in_order_and_begin_with_the_installation() -> None:
    for each in CATALOGUE:
        assert each.levels == tuple(SettingLevel)[: len(each.levels)], each.name
        assert each.levels[0] is INSTALLATION
        assert (each.scope is SettingScope.WORKSPACE) is (WORKSPACE in each.levels)


def test_a_template_and_a_session_set_what_a_party_meets_and_nothing_of_members() -> None:
    own = {each.name for each in CATALOGUE if SESSION in each.levels}
    assert own == {
        "code.life",
        "code.mail_interval",
        "code.mails_per_hour",
        "code.mails_per_day",
        "binding.idle",
        "binding.grace",
        "template.reminders",
    }


def test_an_installation_sets_what_is_not_the_default() -> None:
    settings = replace(
        Settings(), binding_idle=timedelta(minutes=20), room_poll_interval=timedelta(seconds=0.5)
    )
    assert set_by_installation(settings) == {IDLE: 1200, "room.poll_interval": 0.5}
    assert set_by_installation(Settings()) == {}


@pytest.mark.parametrize(
    ("level", "name", "value", "fault"),
    [
        (TEMPLATE, IDLE, 300, None),
        (TEMPLATE, IDLE, 43_200, None),
        (TEMPLATE, IDLE, 299, "must be from 300 to 43200 seconds"),
        (SESSION, IDLE, 43_201, "must be from 300 to 43200 seconds"),
        (TEMPLATE, IDLE, "600", "must be a whole number"),
        (SESSION, IDLE, True, "must be a whole number"),
        (TEMPLATE, IDLE, None, "must be a whole number"),
        (WORKSPACE, IDLE, None, None),
        (TEMPLATE, "template.reminders", 4, "must be from 0 to 3 count"),
        (TEMPLATE, "binding.idel", 600, "is not a setting"),
        (WORKSPACE, "nothing", None, "is not a setting"),
        (TEMPLATE, "link.invitation", 600, "is not set by a template"),
        (SESSION, "session.absolute_timeout", 600, "is not set for one session"),
        (WORKSPACE, "mail.kept_for", 1, "is set by whoever runs the installation"),
        (WORKSPACE, "mail.kept_for", None, "is set by whoever runs the installation"),
        (WORKSPACE, "login.guest_name", "x" * 201, "must be a text of 1 to 200 characters"),
        (WORKSPACE, "login.guest_name", 7, "must be a text of 1 to 200 characters"),
        (WORKSPACE, "login.guest_name", "Nobody", None),
        (WORKSPACE, "session.overflow", "x", "must be one of refuse_new, displace_oldest"),
        (WORKSPACE, "session.overflow", "refuse_new", None),
        (WORKSPACE, "login.basic", 1, "must be on or off"),
        (WORKSPACE, "login.basic", True, None),
    ],
)
def test_each_fault_says_what_and_the_limits(
    level: SettingLevel, name: str, value: Any, fault: str | None
) -> None:
    found = faults_on(level, {name: value}, "/settings")
    assert found == ((Fault(f"/settings/{name}", fault),) if fault else ())
    assert usable_on(level, {name: value}) == ({} if fault else {name: value})


def test_every_fault_is_named_at_once() -> None:
    found = faults_on(TEMPLATE, {IDLE: 1, "code.life": 600, "nothing": 1})
    assert [each.pointer for each in found] == ["/binding.idle", "/nothing"]


@given(st.sampled_from([each for each in CATALOGUE if each.minimum is not None]), st.data())
def test_a_value_within_the_limits_is_read_as_it_was_written(
    setting: Setting, data: st.DataObject
) -> None:
    low, high = (plain_value(each) for each in (setting.minimum, setting.maximum))
    plain = data.draw(st.integers(math.ceil(low), math.floor(high)))
    assert fault_of(setting, plain) is None
    assert plain_value(read_value(setting, plain)) == plain
