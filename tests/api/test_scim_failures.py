"""What goes wrong around a directory's request is told as SCIM tells it, and never in full."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.settings import Settings
from store.workspace_setting import lock_settings
from tests.api.directory import ANNA, SCIM, USER, Directory, told
from tests.rooms.house import House

BODY = {"schemas": [USER], "userName": ANNA}
BULK = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
    "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": BODY}],
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody waits for long."""
    return replace(settings, database_lock_timeout=timedelta(milliseconds=200))


async def test_whatever_waits_for_long_is_told_to_try_again(
    directory: Directory, house: House
) -> None:
    async with house.transactions.work() as work:
        await lock_settings(work.db, house.workspace_id)
        told(await directory.client.post(f"{SCIM}/Users", json=BODY), 503)
        answer = told(await directory.client.post(f"{SCIM}/Bulk", json=BULK), 200)
        told(await directory.client.get(f"{SCIM}/Users"), 200)
    assert [each["status"] for each in answer["Operations"]] == ["503"]


async def test_what_nobody_expected_in_a_bulk_request_is_logged(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr("api.scim_storage.provision_member", broken)
    answer = told(await directory.client.post(f"{SCIM}/Bulk", json=BULK), 200)
    assert [each["status"] for each in answer["Operations"]] == ["500"]
    assert "unheard of" in capsys.readouterr().out
    assert "unheard of" not in str(answer)
