"""A person's browser reduced to HTTP: cookies, posts from our own pages, nothing of JavaScript."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx2

from tests.rooms.files import pdf

OWN_PAGE = {"sec-fetch-site": "same-origin", "accept-language": "en", "user-agent": "caller"}
PROFILE = {
    "legal_name": "Casa do Linho Lda",
    "company_type": "limited_company",
    "registration_number": "PT-501 234 567",
    "country": "PT",
    "street_address": "Rua das Flores 12",
    "city": "4050-262 Porto",
    "contact_name": "Vera Costa",
    "contact_role": "Head of sales",
    "contact_email": "orders@casadolinho.example",
    "contact_phone": "+351 22 123 4567",
}
CATEGORIES: Mapping[str, str | list[str]] = {
    "categories": ["packaging", "laboratory"],
    "offer": "Bags and boxes of recycled linen, printed to order, from one piece on.",
    "own_production": "both",
    "delivery_regions": ["home_country"],
    "lead_time_days": "12",
    "accepts_purchase_orders": "yes",
}
INTAKE: Mapping[str, Mapping[str, str | list[str]]] = {
    "profile": PROFILE,
    "categories": CATEGORIES,
    "certifications": {},
    "terms": {"agreed": "yes"},
}
"""What is posted for each task of `vendor-intake`, in its order."""
FILES = {
    "certifications": {"insurance": pdf("insurance"), "business-registration": pdf("register")}
}
"""What is uploaded before a task is sent, by the place it is for."""


class Caller:
    """One browser. Redirects are not followed: each answer is the one to one request."""

    def __init__(self, url: str, **options: float) -> None:
        self.client = httpx2.AsyncClient(
            base_url=url, headers=OWN_PAGE, trust_env=False, timeout=options.get("timeout", 20)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.aclose()

    def calls_itself(self, name: str) -> None:
        """Another `User-Agent`, which is kept with the binding."""
        self.client.headers["user-agent"] = name

    async def get(self, path: str) -> httpx2.Response:
        """A page."""
        return await self.client.get(path)

    async def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None
    ) -> httpx2.Response:
        """A form of our own pages."""
        return await self.client.post(path, data=dict(fields or {}))

    async def ask(self, link: str) -> httpx2.Response:
        """Asks for a code."""
        return await self.post(f"{link}/code")

    async def verify(self, link: str, digits: str) -> httpx2.Response:
        """Types a code."""
        return await self.post(f"{link}/verify", {"code": digits})

    async def come_in(self, link: str, digits: str) -> None:
        """Through the door with a code."""
        answer = await self.verify(link, digits)
        assert answer.status_code == 303, (answer.status_code, answer.text)
        assert "/sessions/" in answer.headers["location"]

    async def complete(
        self, session: UUID, task: str, fields: Mapping[str, str | list[str]] | None = None
    ) -> httpx2.Response:
        """Sends one task, with the files it needs."""
        for slot, content in FILES.get(task, {}).items():
            await self.upload(session, task, slot, (f"{slot}.pdf", content))
        return await self.post(f"/sessions/{session}/tasks/{task}", fields or INTAKE[task])

    async def upload(
        self, session: UUID, task: str, slot: str, file: tuple[str, bytes]
    ) -> httpx2.Response:
        """Sends one file by the page's form; a place that is taken already keeps what it has."""
        path = f"/sessions/{session}/tasks/{task}/files"
        return await self.client.post(path, data={"slot": slot}, files={"file": file})

    async def do_everything(self, session: UUID) -> None:
        """Every task of `vendor-intake`."""
        for task in INTAKE:
            answer = await self.complete(session, task)
            assert answer.status_code == 303, (answer.status_code, answer.text)
