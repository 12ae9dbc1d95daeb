"""A workspace's identity provider over the API (EE-20, EE-21, PS-44)."""

from dataclasses import replace
from typing import Any

import pytest
from httpx2 import AsyncClient

from domain.settings import Settings
from store.audit import AuditRow
from store.federation import FederationRow
from tests.rooms.house import House

PATH = "/api/v1/sign-in-modes/federated"
PROVIDER: dict[str, Any] = {
    "issuer": "https://login.office.example/tenant",
    "client_id": "gatepass",
    "client_secret": "s3cret",
    "domains": ["office.example"],
    "match": "subject",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Workspaces of every channel take part."""
    return replace(settings, login_federated_channel="general")


async def test_a_provider_is_set_shown_and_removed(house: House, client: AsyncClient) -> None:
    assert (await client.get(PATH)).status_code == 404
    saved = await client.put(PATH, json=PROVIDER)
    assert saved.status_code == 200, saved.text
    shown = (await client.get(PATH)).json()
    assert shown == saved.json()
    assert shown["redirect_uri"].endswith("/sign-in/federated/back")
    assert {name: shown[name] for name in PROVIDER if name in shown} == {
        name: value for name, value in PROVIDER.items() if name != "client_secret"
    }
    assert "s3cret" not in saved.text
    again = await client.put(PATH, json=PROVIDER | {"client_id": "other"})
    assert again.json()["client_id"] == "other"
    assert len(await house.all(FederationRow)) == 1
    assert (await client.delete(PATH)).status_code == 204
    assert (await client.delete(PATH)).status_code == 404


async def test_each_change_is_written_down_without_the_secret(
    house: House, client: AsyncClient
) -> None:
    await client.put(PATH, json=PROVIDER)
    await client.delete(PATH)
    told = [each for each in await house.all(AuditRow) if each.event.startswith("federation.")]
    assert sorted(each.event for each in told) == ["federation.changed", "federation.removed"]
    assert "s3cret" not in str([each.details for each in told])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"issuer": "http://login.office.example"}, "/issuer"),
        ({"issuer": "https://login.office.example?x=1"}, "/issuer"),
        ({"issuer": "https://who@login.office.example"}, "/issuer"),
        ({"issuer": "https://login.office.example#x"}, "/issuer"),
        ({"issuer": "https://login.office.example:99999"}, "/issuer"),
        ({"issuer": "file:///etc/passwd"}, "/issuer"),
        ({"issuer": "https://["}, "/issuer"),
        ({"client_secret": "s\u00e9cret"}, "/client_secret"),
        ({"domains": ["a@office.example"]}, "/domains/0"),
        ({"domains": ["localhost"]}, "/domains/0"),
        ({"domains": ["a.example"] * 51}, "/domains"),
    ],
    ids=str,
)
async def test_every_fault_is_named(
    client: AsyncClient, wrong: dict[str, Any], pointer: str
) -> None:
    answer = await client.put(PATH, json=PROVIDER | wrong)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["faults"]] == [pointer]


async def test_another_workspace_has_its_own(client: AsyncClient, stranger: AsyncClient) -> None:
    await client.put(PATH, json=PROVIDER)
    assert (await stranger.get(PATH)).status_code == 404
    assert (await stranger.delete(PATH)).status_code == 404


class TestOnAnotherChannel:
    """EE-20, EE-21: a new workspace is on `general`, and only `controlled` ones take part."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """As an installation is by default."""
        return replace(settings, login_federated_channel=Settings().login_federated_channel)

    async def test_it_is_denied(self, client: AsyncClient) -> None:
        answer = await client.put(PATH, json=PROVIDER)
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/channel-denied"
        assert answer.json()["denial"] == "Access Denied : Company sign-in"
