from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import SettingsError, load_settings, variable_of
from domain.settings import CATALOGUE, Settings

LIMITED = [each for each in CATALOGUE if each.minimum is not None]


@pytest.mark.parametrize("setting", CATALOGUE, ids=lambda each: each.name)
def test_every_setting_says_what_it_means(setting: object) -> None:
    assert all(getattr(setting, name) for name in ("name", "unit", "meaning")), (
        f"{setting} must have a name, a unit and a meaning"
    )


def test_every_number_has_limits_that_hold_its_default() -> None:
    for setting in CATALOGUE:
        if isinstance(setting.default, int | timedelta) and not isinstance(setting.default, bool):
            assert setting.minimum <= setting.default <= setting.maximum, setting.name


def test_names_are_dotted_and_unique() -> None:
    names = [each.name for each in CATALOGUE]
    assert len(set(names)) == len(names)
    assert all(name.count(".") == 1 for name in names)


def test_the_environment_is_read_and_the_rest_is_default() -> None:
    settings = load_settings(
        {
            "GATEPASS_CODE_LIFE": "900",
            "GATEPASS_BINDING_IDLE": "PT1H",
            "GATEPASS_CODE_DIGITS": "6",
            "GATEPASS_TEMPORAL_TLS": "true",
            "GATEPASS_PUBLIC_URL": "https://gate.example",
            "PATH": "/bin",
        }
    )
    assert settings == Settings(
        code_life=timedelta(minutes=15),
        binding_idle=timedelta(hours=1),
        code_digits=6,
        temporal_tls=True,
        public_url="https://gate.example",
    )


def test_every_fault_of_the_environment_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                "GATEPASS_CODE_LIFE": "1",
                "GATEPASS_CODE_DIGITS": "many",
                "GATEPASS_COFFEE": "1",
                "GATEPASS_DATABASE_POOL": "101",
            }
        )
    text = str(caught.value)
    assert "GATEPASS_CODE_LIFE must be from 60 s to 7200 s, got 1 s" in text
    assert "GATEPASS_CODE_DIGITS='many' is not count" in text
    assert "GATEPASS_COFFEE is not a setting" in text
    assert "GATEPASS_DATABASE_POOL must be from 2 to 100, got 101" in text


@given(st.sampled_from(LIMITED), st.booleans())
def test_a_limit_itself_is_allowed_and_one_beyond_is_not(setting: object, low: bool) -> None:
    limit = getattr(setting, "minimum" if low else "maximum")
    step = timedelta(milliseconds=1) if isinstance(limit, timedelta) else 1
    variable = variable_of(str(getattr(setting, "name", "")).replace(".", "_"))
    load_settings({variable: _written(limit)})
    beyond = limit - step if low else limit + step
    with pytest.raises(SettingsError, match=variable):
        load_settings({variable: _written(beyond)})


def test_the_root_key_is_a_secret_setting() -> None:
    secret = {each.name for each in CATALOGUE if each.secret}
    assert {"root.key", "root.key_command"} <= secret


def _written(value: object) -> str:
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)
