"""One party's way through a session, over HTTP."""

import json
from time import perf_counter
from uuid import UUID

from benchmarks.http_client import Browser
from benchmarks.office import TEMPLATE, Office

ANSWERS: dict[str, dict[str, str]] = {
    "contact": {"company": "Supplier Ltd", "phone": "+351 21 000 0000", "remarks": "Call first."},
    "offer": {"products": "Paper, ink and string", "lead_time_days": "14"},
    "conduct": {"agreed": "yes"},
    "correct": {"agreed": "yes"},
}
"""What is posted for each task of `pack/session_templates/four-tasks.yaml`, in its order."""


async def issue(browser: Browser, office: Office, template: str = TEMPLATE) -> UUID:
    """A program issues a session."""
    answer = await browser.post_json(
        "/api/v1/public-sessions", office.issue_body(template), office.headers()
    )
    return UUID(json.loads(answer.body)["id"])


async def verified(browser: Browser, office: Office, template: str = TEMPLATE) -> UUID:
    """A session that this browser, as another person's, may act in."""
    browser.forget()
    session = await issue(browser, office, template)
    await verify(browser, office, session)
    return session


async def verify(browser: Browser, office: Office, session: UUID) -> None:
    """The party asks for a code and types it."""
    link = office.link(session)
    await browser.post_form(f"/s/{link}/code")
    await browser.post_form(f"/s/{link}/verify", {"code": office.code(session)})


async def complete(browser: Browser, session: UUID, task: str) -> float:
    """The party completes one task; seconds until the answer."""
    begun = perf_counter()
    await browser.post_form(f"/sessions/{session}/tasks/{task}", ANSWERS[task])
    return perf_counter() - begun


async def whole_session(browser: Browser, office: Office) -> tuple[UUID, list[float]]:
    """Issued, verified, four tasks completed: seven requests; the id, and the tasks' seconds."""
    session = await verified(browser, office)
    return session, [await complete(browser, session, task) for task in ANSWERS]
