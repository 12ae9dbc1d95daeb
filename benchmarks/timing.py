"""Whether the time of an answer tells who has an account (ASVS 6.3.8).

Questions of two kinds are asked in pairs, each pair in an order of its own, so that whatever else
the machine does meets both alike. Every known member is asked for once: nobody is locked or mailed
too often on the way. Answers that differ in anything but what was typed end the measurement.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from time import perf_counter

from sqlalchemy import func
from sqlmodel import select

from benchmarks.bench import Bench
from benchmarks.figures import Row, cropped, median, under, welch
from benchmarks.http_client import Answer, Browser
from commands.member import address_digest
from commands.password import hashed
from domain.member import MemberState, Role
from store.member import MemberRow

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"
REFUSED, SHOWN = 403, 200
SIGN_IN = "/console/bench/sign-in"
FORGOT = "/console/bench/forgot-password"
CONNECTIONS = 4
"""That ask beside each other: their answers mostly wait."""
SLOWEST = 5.0
"""Percent of the samples that are cropped."""
STRAY = 4.5
AT_ONCE = 50
OTHER_EACH_TIME = {"x-request-id", "date", "content-length"}

Ask = Callable[[Browser, int], Awaitable[Answer]]


class AnswersDifferError(Exception):
    """Two answers that nobody should tell apart have another status, headers or length."""


@dataclass(slots=True)
class Compared:
    """Milliseconds of each kind of question."""

    name: str
    known: list[float] = field(default_factory=list)
    unknown: list[float] = field(default_factory=list)

    def rows(self) -> list[Row]:
        """How far apart the two are: as statistics see it, and in the middle."""
        known, unknown = cropped(self.known, SLOWEST), cropped(self.unknown, SLOWEST)
        apart = abs(median(known) - median(unknown))
        return [
            Row(f"{self.name}: Welch's |t|", "", abs(welch(known, unknown)), goal=under(STRAY)),
            Row(f"{self.name}: medians apart", "ms", apart, goal=under(1)),
        ]


async def sign_in_rows(bench: Bench) -> list[Row]:
    """Wrong passwords of members and of strangers; then any password of who is locked."""
    pairs, browsers = bench.plan.pairs, bench.browsers[:CONNECTIONS]
    await _members(bench, pairs + 1)
    compared = Compared("sign-in: member or stranger")
    await _compare(compared, browsers, pairs, (_typed(_member, WRONG), _typed(_nobody, WRONG)))
    locked = Compared("sign-in, locked: right or wrong password")
    for _ in range(10):
        await _typed(_member, WRONG)(browsers[0], pairs)
    right, wrong = (_typed(lambda _: _member(pairs), each) for each in (PASSWORD, WRONG))
    await _compare(locked, browsers, pairs, (right, wrong))
    return [*compared.rows(), *locked.rows()]


async def forgotten_rows(bench: Bench) -> list[Row]:
    """Asking for a link to choose another password."""
    pairs = bench.plan.pairs
    await _members(bench, pairs)
    compared = Compared("forgotten password: member or stranger")
    browsers = bench.browsers[:CONNECTIONS]
    await _compare(compared, browsers, pairs, (_forgotten(_member), _forgotten(_nobody)))
    return compared.rows()


async def _members(bench: Bench, count: int) -> None:
    """Members whom nobody mailed, as many as there are not yet: mails would disturb."""
    office, kept = bench.office, await hashed(PASSWORD)
    async with office.begin.work() as work:
        made = int((await work.db.scalars(select(func.count()).select_from(MemberRow))).one())
    for first in range(made, count, AT_ONCE):
        async with office.begin.work() as work:
            for number in range(first, min(first + AT_ONCE, count)):
                member = MemberRow(
                    workspace_id=office.workspace_id,
                    email_digest=address_digest(work, _member(number)),
                    email=_member(number),
                    role=Role.AUDITOR,
                    state=MemberState.ACTIVE,
                    password_set_at=work.at,
                    created_at=work.at,
                    updated_at=work.at,
                )
                member.name, member.password = "Anna Berg", kept
                work.db.add(member)


def _member(number: int) -> str:
    return f"member{number:05}@bench.example"


def _nobody(number: int) -> str:
    return f"nobody{number:05}@bench.example"


def _typed(who: Callable[[int], str], password: str) -> Ask:
    return lambda browser, number: browser.post_form(
        SIGN_IN, {"email": who(number), "password": password}, REFUSED
    )


def _forgotten(who: Callable[[int], str]) -> Ask:
    return lambda browser, number: browser.post_form(FORGOT, {"email": who(number)}, SHOWN)


async def _compare(
    compared: Compared, browsers: tuple[Browser, ...], pairs: int, kinds: tuple[Ask, Ask]
) -> None:
    """Each browser takes one pair after the other until there is none left."""
    for browser in browsers:
        browser.forget()
    numbers, order = iter(range(pairs)), Random(1)

    async def pair_by_pair(browser: Browser) -> None:
        for number in numbers:
            asked = [(kinds[0], compared.known), (kinds[1], compared.unknown)]
            order.shuffle(asked)
            told = [await _timed(ask, browser, number, samples) for ask, samples in asked]
            if _shape(told[0]) != _shape(told[1]):
                raise AnswersDifferError(compared.name)
            browser.forget()

    async with asyncio.TaskGroup() as group:
        for each in browsers:
            group.create_task(pair_by_pair(each))


async def _timed(ask: Ask, browser: Browser, number: int, samples: list[float]) -> Answer:
    begun = perf_counter()
    answer = await ask(browser, number)
    samples.append((perf_counter() - begun) * 1000)
    return answer


def _shape(answer: Answer) -> tuple[int, Mapping[str, str], int]:
    """What must be the same: the addresses that were typed are of one length."""
    headers = {n: value for n, value in answer.headers.items() if n not in OTHER_EACH_TIME}
    return answer.status, headers, len(answer.body)
