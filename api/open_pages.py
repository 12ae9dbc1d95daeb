"""Tells open pages what becomes of whoever has them open, within the poll's interval.

One poll a process asks each gate for all its open pages at once; each page hears of it through
server-sent events. Nothing here decides anything: the next request meets the same gate.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from fastapi.sse import ServerSentEvent
from starlette.datastructures import State

from commands.work import Transactions, Work
from store.database import is_away
from store.editing_gate import Editing
from store.gate import Gone, Idle, Shut
from store.signing_gate import SigningNews

log = structlog.get_logger()

RECONNECT_AFTER_MS = 2000


@dataclass(frozen=True, slots=True)
class Signings:
    """What the gate says of a browser that may act, and the signing sessions in its room."""

    gate: Idle | None
    windows: tuple[SigningNews, ...]


News = Shut | Idle | Gone | Signings | Editing | None
"""What a gate says of a browser; None: it may act."""
Gate = Callable[[Work, list[UUID]], Awaitable[Mapping[UUID, Any]]]
"""Asks for many at once, by the ids of their places or sessions; who may act is left out."""


class OpenPage:
    """One open page: the last news of its browser. What came in between is of no interest."""

    def __init__(self) -> None:
        """Begins with nothing to tell."""
        self.news: News = None
        self.is_closing = False
        self._changed = asyncio.Event()

    def tell(self, news: News) -> None:
        """Wakes the page if there is something new; after an end there never is."""
        if news != self.news and not isinstance(self.news, Shut):
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
    """The open pages of this process, by their gate and what it knows their browsers by."""

    def __init__(self) -> None:
        """Begins with none."""
        self._pages: dict[Gate, dict[UUID, set[OpenPage]]] = {}
        self._is_stopped = False

    def __len__(self) -> int:
        return sum(len(pages) for at_gate in self._pages.values() for pages in at_gate.values())

    def asked(self) -> dict[Gate, list[UUID]]:
        """Whom each gate is to be asked about: those that have a page open."""
        return {gate: list(at_gate) for gate, at_gate in self._pages.items() if at_gate}

    @contextmanager
    def opened(self, gate: Gate, whose: UUID) -> Iterator[OpenPage]:
        """A page for as long as it is open."""
        page, at_gate = OpenPage(), self._pages.setdefault(gate, {})
        at_gate.setdefault(whose, set()).add(page)
        if self._is_stopped:
            page.close()
        try:
            yield page
        finally:
            at_gate[whose].discard(page)
            if not at_gate[whose]:
                del at_gate[whose]

    def tell(self, gate: Gate, asked: list[UUID], news: Mapping[UUID, News]) -> None:
        """Tells each page what the gate said of its browser."""
        for whose in asked:
            for page in self._pages[gate].get(whose, ()):
                page.tell(news.get(whose))

    def stop(self) -> None:
        """Ends every stream, now and from now on."""
        self._is_stopped = True
        for at_gate in self._pages.values():
            for pages in at_gate.values():
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
            for gate, asked in pages.asked().items():
                await _poll(transactions, pages, gate, asked)
            await _pause(stop, interval)
    finally:
        pages.stop()


async def _poll(
    transactions: Transactions, pages: OpenPages, gate: Gate, asked: list[UUID]
) -> None:
    try:
        async with transactions.work() as work:
            news = await gate(work, asked)
    except Exception as error:
        log.warning("page_poll_waits", exc_info=None if is_away(error) else error)
        return
    pages.tell(gate, asked, news)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def news_of(page: OpenPage, transactions: Transactions) -> AsyncIterator[ServerSentEvent]:
    """`ended` once and last, `idle` when the warning is due, `active` when it is over.

    `signing` for each signing session of the room that is not as it was told before.

    A session that is gone ends the stream without a word: the browser connects again, and who it
    is then says what became of it.
    """
    # Something is sent at once, so that proxies and the page know that the stream lives.
    yield ServerSentEvent(comment="listening", retry=RECONNECT_AFTER_MS)
    told: News = None
    while not page.is_closing:
        if page.news != told:
            before, told = told, page.news
            if isinstance(told, Gone):
                return
            for event in _events(before, told, transactions):
                yield event
            if isinstance(told, Shut):
                return
        await page.wait()


def _events(before: News, told: News, transactions: Transactions) -> Iterator[ServerSentEvent]:
    news = _of_gate(told)
    if news != _of_gate(before):
        yield _event(news, transactions)
    known = before.windows if isinstance(before, Signings) else ()
    for each in told.windows if isinstance(told, Signings) else ():
        if each not in known:
            yield _window(each, transactions)


def _of_gate(news: News) -> Shut | Idle | Editing | None:
    found = news.gate if isinstance(news, Signings) else news
    return None if isinstance(found, Gone) else found


def _window(news: SigningNews, transactions: Transactions) -> ServerSentEvent:
    return _named(
        "signing",
        task=news.task,
        holder=news.holder,
        fence=news.fence,
        version=news.version,
        reason=news.reason,
        seconds_left=_left(news.idles_out_at, transactions) if news.idles_out_at else None,
    )


def _left(ends_at: datetime, transactions: Transactions) -> int:
    return max(0, round((ends_at - transactions.clock()).total_seconds()))


def _event(news: Shut | Idle | Editing | None, transactions: Transactions) -> ServerSentEvent:
    match news:
        case Shut(reason):
            return _named("ended", reason=reason)
        case Idle(ends_at):
            return _named("idle", seconds_left=_left(ends_at, transactions))
        case Editing():
            return _named("editing", **asdict(news))
        case None:
            return _named("active")


def _named(event: str, **values: Any) -> ServerSentEvent:
    return ServerSentEvent(event=event, data=values)
