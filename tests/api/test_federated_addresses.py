"""Nobody inside our own network is asked, whatever an administrator's issuer leads to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from adapters import outside
from adapters.openid import Provider, address_to_ask
from domain.federation import FederatedFault, OnceSecrets
from domain.member_errors import FederatedRefused
from domain.settings import Settings

HERE = "127.0.0.0/8, ::1/128"
PUBLIC = ip_address("93.184.215.14")


@dataclass(slots=True)
class Listener:
    """Something inside that should not be reached: what it was sent."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.read(4096))
        writer.close()


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    found = Listener()
    server = await asyncio.start_server(found.hear, "127.0.0.1", 0)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found


async def refused(issuer: str, **settings: Any) -> FederatedFault:
    """What comes of asking it."""
    chosen = replace(Settings(), **({"public_url": "https://gate.example"} | settings))
    provider = Provider(issuer, "gatepass", "secret", "https://gate.example/back", chosen)
    with pytest.raises(FederatedRefused) as error:
        await address_to_ask(provider, OnceSecrets("state", "nonce", "verifier" * 8))
    return error.value.fault


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1"])
async def test_a_name_that_leads_inside_is_not_connected_to(listener: Listener, host: str) -> None:
    assert await refused(f"https://{host}:{listener.port}") == FederatedFault.AWAY
    assert listener.heard == []


async def test_the_operator_may_allow_a_network(listener: Listener) -> None:
    # The certificate is asked of the name, not of the address that was looked up.
    issuer = f"https://localhost:{listener.port}"
    assert await refused(issuer, login_federated_networks=HERE) == FederatedFault.AWAY
    assert len(listener.heard) == 1
    assert b"localhost" in listener.heard[0]


async def test_on_one_machine_the_loopback_is_enough(listener: Listener) -> None:
    issuer, public = f"http://localhost:{listener.port}", "http://localhost:8000"
    assert await refused(issuer, public_url=public) == FederatedFault.AWAY
    (heard,) = listener.heard
    assert f"host: localhost:{listener.port}".encode() in heard.lower()


async def test_a_name_is_looked_up_once(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    # DNS rebinding: public when it is looked at, ours when it is connected to
    answers = [[PUBLIC], [ip_address("127.0.0.1")]]
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> list[Any]:
        asked.append(host)
        return answers[len(asked) - 1]

    async def connected(request: Any) -> Any:
        raise httpx2.ConnectError(request.url.host)

    monkeypatch.setattr(outside, "addresses_of", rebinding)
    transport = outside.Bounded(Settings(), 1024)
    monkeypatch.setattr(transport._inner, "handle_async_request", connected)
    with pytest.raises(httpx2.ConnectError, match=str(PUBLIC)):
        await transport.handle_async_request(
            httpx2.Request("GET", f"https://rebinds.example:{listener.port}/")
        )
    assert asked == ["rebinds.example"]
    assert listener.heard == []
