"""Tells open pages that their session or their place has ended, within the poll's interval.

One poll a process asks the gate for all its open pages at once; each page hears of it through
server-sent events. Nothing here decides anything: the next request meets the same gate.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.datastructures import State

from api.browser import visitor_of
from api.context import Begin
from commands.public_session import idle_policy
from commands.room import enter
from commands.work import Transactions, Work
from store.database import is_away
from store.gate import Idle, Shut, gates_of

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)

RECONNECT_AFTER_MS = 2000
News = Shut | Idle | None
"""What the gate says of a browser; None: it may act."""


class OpenPage:
    """One open page: the last news of its browser. What came in between is of no interest."""

    def __init__(self) -> None:
        """Begins with nothing to tell."""
        self.news: News = None
        self.is_closing = False
        self._changed = asyncio.Event()

    def tell(self, news: News) -> None:
        """Wakes the page if there is something new."""
        if news != self.news:
            self.news = news
            self._changed.set()

    def close(self) -> None:
        """Ends the page's stream, as when the server stops; the browser connects again."""
        self.is_closing = True
        self._changed.set()

    async def wait(self) -> None:
        """Returns as soon as there is something new."""
        await self._changed.wait()
        self._changed.clear()


class OpenPages:
    """The open pages of this process, by the browser's binding."""

    def __init__(self) -> None:
        """Begins with none."""
        self._pages: dict[UUID, set[OpenPage]] = {}
        self._is_stopped = False

    def __len__(self) -> int:
        return sum(map(len, self._pages.values()))

    @property
    def bindings(self) -> list[UUID]:
        """The browsers that have a page open."""
        return list(self._pages)

    @contextmanager
    def opened(self, binding_id: UUID) -> Iterator[OpenPage]:
        """A page for as long as it is open."""
        page = OpenPage()
        self._pages.setdefault(binding_id, set()).add(page)
        if self._is_stopped:
            page.close()
        try:
            yield page
        finally:
            self._pages[binding_id].discard(page)
            if not self._pages[binding_id]:
                del self._pages[binding_id]

    def tell(self, asked: list[UUID], news: dict[UUID, Shut | Idle]) -> None:
        """Tells each page what the gate said of its browser."""
        for binding_id in asked:
            for page in self._pages.get(binding_id, ()):
                page.tell(news.get(binding_id))

    def stop(self) -> None:
        """Ends every stream, now and from now on."""
        self._is_stopped = True
        for pages in self._pages.values():
            for page in pages:
                page.close()


def open_pages_of(state: State) -> OpenPages:
    """The open pages of an application, made when they are first asked for."""
    if not hasattr(state, "open_pages"):
        state.open_pages = OpenPages()
    pages: OpenPages = state.open_pages
    return pages


async def poll_until_stopped(app_state: State, stop: asyncio.Event) -> None:
    """The poll of one process; runs beside it until `stop`, then ends every open stream.

    While PostgreSQL is away nothing is told: what is unknown is never called an end.
    """
    pages = open_pages_of(app_state)
    transactions: Transactions = app_state.transactions
    interval = transactions.settings.room_poll_interval.total_seconds()
    try:
        while not stop.is_set():
            await _poll(transactions, pages)
            await _pause(stop, interval)
    finally:
        pages.stop()


async def _poll(transactions: Transactions, pages: OpenPages) -> None:
    asked = pages.bindings
    if not asked:
        return
    try:
        async with transactions.work() as work:
            news = await _ask(work, asked)
    except Exception as error:
        log.warning("room_poll_waits", exc_info=None if is_away(error) else error)
        return
    pages.tell(asked, news)


async def _ask(work: Work, bindings: list[UUID]) -> dict[UUID, Shut | Idle]:
    return await gates_of(work.db, bindings, work.at, idle_policy(work))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


@dataclass(frozen=True, slots=True)
class Listener:
    """The browser that listens, and what there is to tell it at once."""

    binding_id: UUID
    news: News


async def listener_of(request: Request, session_id: str, begin: Begin) -> Listener:
    """The browser behind the cookie; raises `NotFound` for a stranger, before anything is streamed.

    Listening is not activity: a page left open goes idle.
    """
    async with begin.work() as work:
        binding_id = (await enter(work, visitor_of(request, session_id))).binding.id
        return Listener(binding_id, (await _ask(work, [binding_id])).get(binding_id))


Listening = Annotated[Listener, Depends(listener_of)]


@router.get(  # the listener's own dependency reads the id
    "/sessions/{session_id}/events",  # noqa: FAST003
    response_class=EventSourceResponse,
)
async def get_events(
    request: Request, listener: Listening, begin: Begin
) -> AsyncIterator[ServerSentEvent]:
    """`ended` once and last, `idle` when the warning is due, `active` when it is over."""
    with open_pages_of(request.app.state).opened(listener.binding_id) as page:
        page.tell(listener.news)
        # Something is sent at once, so that proxies and the page know that the stream lives.
        yield ServerSentEvent(comment="listening", retry=RECONNECT_AFTER_MS)
        told: News = None
        while not page.is_closing:
            if page.news != told:
                told = page.news
                yield _event(told, begin)
                if isinstance(told, Shut):
                    return
            await page.wait()


def _event(news: News, transactions: Transactions) -> ServerSentEvent:
    match news:
        case Shut(reason):
            return _named("ended", reason=reason)
        case Idle(ends_at):
            left = (ends_at - transactions.clock()).total_seconds()
            return _named("idle", seconds_left=max(0, round(left)))
        case None:
            return _named("active")


def _named(event: str, **values: Any) -> ServerSentEvent:
    return ServerSentEvent(event=event, data=values)
