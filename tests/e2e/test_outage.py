"""SQL decides, Temporal carries: people notice no outage of what carries, and 503 of what decides.

RELIABILITY 3, 21, 22: with Temporal and every worker gone everything is answered; what follows
catches up by itself, once. With PostgreSQL gone: 503 with Retry-After, never 500, and well again
within ten seconds of its return.
"""

import signal
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import httpx2
import pytest
import pytest_asyncio

from tests.e2e.caller import INTAKE, Caller
from tests.e2e.house import House, Office, until
from tests.e2e.person import Browsers
from tests.e2e.test_lost_page import working

pytestmark = pytest.mark.timeout(180)

QUICK = 3.0
"""Seconds: far less than the calls to Temporal may take, so that nobody waits for one."""
CAUGHT_UP_WITHIN = 60.0
WELL_AGAIN_WITHIN = 10.0


@pytest_asyncio.fixture
async def office(fragile_office: Office) -> AsyncIterator[Office]:
    """An office in the house whose parts are killed here."""
    yield fragile_office


async def status_of(house: House) -> str:
    return str((await house.ready())["status"])


async def is_status(house: House, wanted: str) -> bool:
    return await status_of(house) == wanted


async def says_what_is_behind(house: House) -> bool:
    """Intents and mails are counted as behind once they are older than a delivery takes."""
    said = await house.ready()
    behind = said["behind"]
    return bool(said["status"] == "behind" and behind["intents"] and behind["mails"])


async def timed(answer: Any) -> httpx2.Response:
    """The answer to a request, which must come quickly."""
    begun = time.monotonic()
    response: httpx2.Response = await answer
    assert time.monotonic() - begun < QUICK, response.request.url
    return response


@pytest_asyncio.fixture
async def nothing_carries(fragile_house: House) -> AsyncIterator[House]:
    """Temporal and the only worker are killed; afterwards both are there again."""
    fragile_house.kill("worker")
    fragile_house.kill_temporal()
    yield fragile_house
    await bring_back(fragile_house)


async def bring_back(house: House) -> None:
    """Temporal and the worker again, unless they are there."""
    if house.temporal.child.exit_code() is not None:
        await house.start_temporal()
    if house.children["worker"].exit_code() is not None:
        house.start("worker")


async def test_without_temporal_and_workers_everything_is_answered(
    nothing_carries: House, office: Office
) -> None:
    """Opening, verifying, completing, revoking, issuing; then it all catches up, once."""
    party = await office.create("vera")
    session = UUID(party["issued"][0]["public_session"])
    revoked = await office.vendor("rita")
    async with Caller(office.house.url) as vera, Caller(office.house.url) as rita:
        await does_everything(office, vera, session)
        await is_revoked(office, rita, revoked)
    # Decided already, though nothing has carried it on.
    assert (await office.session(session))["status"] == "completed"
    assert (await office.get(f"parties/{party['id']}"))["state"] == "registered"
    assert office.house.mailbox.mails(office.address("vera")) == []
    await until(partial(says_what_is_behind, nothing_carries), "/readyz says what is behind", 20)

    await bring_back(nothing_carries)
    back_at = time.monotonic()
    await all_caught_up(office)
    await until(partial(is_status, nothing_carries, "ready"), "/readyz is ready", CAUGHT_UP_WITHIN)
    assert time.monotonic() - back_at < CAUGHT_UP_WITHIN
    await assert_everything_happened_once(office, party, revoked)


async def does_everything(office: Office, person: Caller, session: UUID) -> None:
    """The whole way, each answer quick; the code page says that the mail is late."""
    link = await office.link(session)
    assert (await timed(person.get(link))).status_code == 200
    assert (await timed(person.ask(link))).status_code == 303
    await office.sql(
        "UPDATE mail SET created_at = created_at - interval '30 seconds' WHERE session_id = :id",
        id=session,
    )
    page = await timed(person.get(f"{link}/code"))
    assert page.status_code == 200
    assert "Our mail is slower than usual." in page.text
    answer = await timed(person.verify(link, await office.fresh_code(session)))
    assert "/sessions/" in answer.headers["location"]
    for task in INTAKE:
        assert (await timed(person.complete(session, task))).status_code == 303
    done = await timed(person.get(f"/sessions/{session}"))
    assert "All done, thank you" in done.text


async def is_revoked(office: Office, person: Caller, session: UUID) -> None:
    """Revocation is as immediate as ever."""
    link = await office.link(session)
    await person.come_in(link, await office.fresh_code(session))
    body = {"rationale": "No longer needed", "message": "Thank you."}
    path = f"/api/v1/public-sessions/{session}/revoke"
    assert (await timed(office.client.post(path, json=body))).status_code == 200
    assert (await timed(person.complete(session, "profile"))).status_code == 410
    assert (await timed(person.get(link))).status_code == 410


async def all_caught_up(office: Office, within: float = CAUGHT_UP_WITHIN) -> None:
    """Waits until every intent is delivered, every end settled, every mail sent or refused."""
    left: list[Any] = []

    async def nothing_left() -> bool:
        left[:] = await office.sql(
            """
            SELECT 'intent', coalesce(signal, 'start'), error FROM intent WHERE done_at IS NULL
            UNION ALL SELECT 'mail', kind, id::text FROM mail WHERE state = 'queued'
            UNION ALL SELECT 'unsettled', status, id::text FROM public_session
            WHERE ended_at IS NOT NULL AND settled_at IS NULL
            """
        )
        return not left

    try:
        await until(nothing_left, "everything has caught up", within)
    finally:
        assert left == []


async def assert_everything_happened_once(
    office: Office, party: dict[str, Any], revoked: UUID
) -> None:
    after = await office.get(f"parties/{party['id']}")
    assert [each["to"] for each in after["passages"]] == ["registered", "due-diligence"]
    sessions = (await office.get("public-sessions", party=party["id"]))["items"]
    assert [each["template"] for each in sessions] == ["vendor-due-diligence", "vendor-intake"]
    subjects = sorted(
        each.subject.removesuffix(f" for {office.name}")
        for each in office.house.mailbox.mails(office.address("vera"))
    )
    # No invitation and no code to a session that is over, one receipt, one new invitation.
    company = f"for Northfield {office.name}"
    assert subjects == [f"Received: Vendor intake {company}", f"Vendor due diligence {company}"]
    told = [each.subject for each in office.house.mailbox.mails(office.address("rita"))]
    assert told == [f"Closed: Vendor intake {company}"]
    events = await office.events(revoked)
    assert events.count("public_session.revoked") == 1


async def test_an_open_page_hears_of_the_end_without_temporal(
    nothing_carries: House, office: Office, browsers: Browsers
) -> None:
    """RELIABILITY 3: the same second with Temporal and every worker down."""
    session = await office.vendor("vera")
    person = await working(browsers, office, session)
    await office.post(f"public-sessions/{session}/revoke", {"rationale": "No longer needed"})
    begun = time.monotonic()
    await person.notice.wait_for()
    assert time.monotonic() - begun < 2


async def test_a_worker_that_hangs_is_like_none(fragile_house: House, office: Office) -> None:
    """SIGSTOP of the worker: what it had claimed is done by it, or again, but once in effect."""
    worker = fragile_house.children["worker"]
    party = await office.create("vera")
    session = UUID(party["issued"][0]["public_session"])
    worker.process.send_signal(signal.SIGSTOP)
    try:
        async with Caller(office.house.url) as vera:
            await vera.come_in(await office.link(session), await office.fresh_code(session))
            await vera.do_everything(session)
    finally:
        worker.process.send_signal(signal.SIGCONT)
    await all_caught_up(office)
    after = await office.get(f"parties/{party['id']}")
    assert [each["to"] for each in after["passages"]] == ["registered", "due-diligence"]


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped"])
async def test_without_postgresql_503_and_well_again_soon(
    fragile_house: House, office: Office, stop: signal.Signals
) -> None:
    """RELIABILITY 21: never 500, always Retry-After; acknowledged work is there afterwards."""
    session = await office.vendor("vera")
    link, code = await office.link(session), await office.fresh_code(session)
    async with Caller(office.house.url) as vera:
        await vera.come_in(link, code)
        assert (await vera.complete(session, "profile")).status_code == 303
        fragile_house.stop_postgres(stop)
        try:
            await assert_unavailable(office, vera, session, link)
        finally:
            await fragile_house.start_postgres()
        begun = time.monotonic()
        await until(partial(works, vera, session), "the room is open again", WELL_AGAIN_WITHIN)
        assert time.monotonic() - begun < WELL_AGAIN_WITHIN
        await office.engine.dispose()
        for task in ("categories", "certifications", "terms"):
            assert (await vera.complete(session, task)).status_code == 303
    assert (await office.session(session))["progress"]["done"] == 4
    await all_caught_up(office)


async def works(person: Caller, session: UUID) -> bool:
    answer = await person.get(f"/sessions/{session}")
    assert answer.status_code in {200, 503}
    return answer.status_code == 200


async def assert_unavailable(office: Office, person: Caller, session: UUID, link: str) -> None:
    """Every kind of request, all at once and once more, so that dead connections are met too."""
    asked = [
        partial(person.get, link),
        partial(person.ask, link),
        partial(person.verify, link, "00000000"),
        partial(person.get, f"/sessions/{session}"),
        partial(person.complete, session, "categories"),
        partial(person.get, "/readyz"),
        partial(office.client.get, "/api/v1/parties"),
        partial(office.client.post, "/api/v1/parties", json={"kind": "vendor", "name": "X"}),
    ]

    async def one(ask: Any) -> None:
        answer = await ask()
        assert answer.status_code == 503, (answer.request.url, answer.status_code, answer.text)
        assert int(answer.headers["retry-after"]) > 0

    for _ in range(2):
        async with anyio.create_task_group() as all_at_once:
            for each in asked:
                all_at_once.start_soon(one, each)
    assert (await person.get("/healthz")).status_code == 200
