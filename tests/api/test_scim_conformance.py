"""`scim2-tester` finds nothing to say about users and discovery (RELIABILITY 40)."""

from typing import Annotated, Any
from uuid import uuid4

from pydantic import Field
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Required, ScimProvider, Uniqueness
from scim2_tester import Status, check_server
from starlette.testclient import TestClient
from typing_extensions import override

from api.app import create_app
from api.scim_service import CONFIG, PROVIDER, Group, User
from domain.settings import Settings
from tests.api.directory import SCIM, scim_token
from tests.rooms.house import Clock, House


class Addresses(list[str]):
    """Never the same address twice; the tester takes for a user's name what is an example of it."""

    @override
    def __getitem__(self, _index: Any) -> Any:
        return f"{uuid4()}@tester.example"


class Addressed(User):
    """A user whose name is an address: the one thing that a schema cannot say."""

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = Field(
        None, examples=Addresses(["anna@tester.example"])
    )


async def test_the_tester_finds_nothing(settings: Settings, clock: Clock, house: House) -> None:
    # The groups are fixed, and the tester has no check that does not make one first.
    headers = {"authorization": f"Bearer {await scim_token(house)}"}
    app = create_app(settings, clock=clock)
    with TestClient(app, base_url=f"http://testserver{SCIM}", headers=headers) as http:
        described = ScimProvider([Addressed, Group], config=CONFIG, policy=PROVIDER.policy)
        results = check_server(SyncSCIMClient(http, provider=described), resource_types=["User"])
    wrong = [each for each in results if each.status is not Status.SUCCESS]
    assert not wrong, "\n".join(f"{each.title}: {each.reason}" for each in wrong)
    assert len(results) > 50
