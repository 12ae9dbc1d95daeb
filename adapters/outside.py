"""Asks addresses that an administrator of a workspace, or whom it trusts, has chosen.

Nothing is believed of them: no redirects, little time altogether, few bytes, and nobody inside our
own network is asked, whatever a name leads to (OWASP SSRF prevention; ASVS 13.2.5).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx2
from typing_extensions import override

from adapters.networks import (
    Address,
    Network,
    NotOutside,
    addresses_of,
    is_outside,
    is_within,
    read_networks,
)
from domain.settings import Settings

HTTPS_PORT = 443


class NoAnswer(ValueError):
    """What was asked gives no answer that can be used."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, how long the whole answer may take, in seconds, and be, in bytes."""

    url: str
    within: float
    longest: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """It is posted, if there is one."""


async def asked(question: Question, settings: Settings) -> httpx2.Response:
    """The whole answer, a 200; raises `NoAnswer` for anything else."""
    headers = {"accept-encoding": "identity", **question.headers}
    try:
        async with (
            asyncio.timeout(question.within),
            httpx2.AsyncClient(
                transport=Bounded(settings, question.longest),
                timeout=question.within,
                follow_redirects=False,
                trust_env=False,
                headers=headers,
            ) as client,
        ):
            method = "GET" if question.body is None else "POST"
            answer = await client.request(method, question.url, content=question.body)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError) as error:
        raise NoAnswer(type(error).__name__) from error
    if answer.status_code != httpx2.codes.OK:
        raise NoAnswer("no 200")
    return answer


def is_plain_http(settings: Settings) -> bool:
    """Whether Gatepass is tried out on one machine, where whom it asks may be, too."""
    return settings.public_url.startswith("http://")


def is_talked_to(address: Address, settings: Settings) -> bool:
    """Whether an address is outside, or one of those inside that the operator allows."""
    if address.is_loopback and is_plain_http(settings):
        return True
    return is_outside(address) or is_within(address, inner_networks(settings))


def inner_networks(settings: Settings) -> tuple[Network, ...]:
    """Where in our own network who is asked may be; raises `SettingsError`."""
    return read_networks(settings.login_federated_networks, "login_federated_networks")


class Bounded(httpx2.AsyncBaseTransport):
    """Answers as they come over the wire, never long ones, and from outside alone.

    What a name leads to is looked up once and then connected to, so that it cannot change between.
    """

    def __init__(self, settings: Settings, longest: int) -> None:
        """Takes who inside may be asked, and how many bytes an answer may have."""
        self._settings = settings
        self._longest = longest
        self._inner = httpx2.AsyncHTTPTransport()

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._answered(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise httpx2.DecodingError("an answer that unpacks", request=request)
        few = _Few(answer, self._longest)
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=few, request=request
        )

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        """Of the first address that can be connected to."""
        *others, last = await self._addresses(request.url)
        for each in others:
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await self._inner.handle_async_request(_to(request, each))
        return await self._inner.handle_async_request(_to(request, last))

    async def _addresses(self, url: httpx2.URL) -> list[Address]:
        try:
            found = await addresses_of(url.raw_host.decode("ascii"), url.port or HTTPS_PORT)
        except OSError as error:
            raise httpx2.ConnectError("a name that leads nowhere") from error
        usable = [each for each in found if is_talked_to(each, self._settings)]
        if not usable:
            raise NotOutside
        return usable

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


def _to(request: httpx2.Request, address: Address) -> httpx2.Request:
    """The request to this very address; certificate and Host stay those of the name."""
    name = request.url.raw_host.decode("ascii")
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": name},
    )


class _Few(httpx2.AsyncByteStream):
    """An answer's bytes up to the limit."""

    def __init__(self, answer: httpx2.Response, longest: int) -> None:
        self._answer = answer
        self._longest = longest

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._answer.aiter_raw():
            size += len(chunk)
            if size > self._longest:
                raise httpx2.ReadError("an answer that is too long")
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._answer.aclose()
