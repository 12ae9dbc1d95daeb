"""Asks a time-stamping authority (RFC 3161), and what vouches for it, as guardedly as anybody else.

An administrator of a workspace chooses the authority; where its certificates' issuers, lists and
answers are (RFC 5280 4.2.2.1, RFC 6960) is what those certificates say.
"""

from dataclasses import dataclass
from typing import Any

import httpx2
from asn1crypto import tsp  # type: ignore[import-untyped]  # has no types
from asn1crypto.cms import ContentInfo  # type: ignore[import-untyped]  # as above
from pyhanko.sign.timestamps.api import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError, set_tsp_headers
from pyhanko_certvalidator.fetchers.api import Fetchers, FetchLimits
from pyhanko_certvalidator.fetchers.common_utils import FetchBudget
from pyhanko_certvalidator.fetchers.requests_fetchers.cert_fetch_client import (
    RequestsCertificateFetcher,
)
from pyhanko_certvalidator.fetchers.requests_fetchers.crl_client import RequestsCRLFetcher
from pyhanko_certvalidator.fetchers.requests_fetchers.ocsp_client import RequestsOCSPFetcher
from typing_extensions import override

from adapters.outside import NoAnswer, Question, asked
from domain.settings import Settings

STAMP_SECONDS = 10.0
"""What one answer may take altogether; three time stamps are asked for."""
LONGEST_STAMP = 256 * 1024
LONGEST_EVIDENCE = 4 * 1024 * 1024
"""Bytes; an authority's revocation list can be long."""
LIMITS = FetchLimits(max_requests=20, max_cert_requests=10, max_aia_urls_per_object=3)
REPLY = "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """Where time stamps are asked for, and the settings that say who inside may be asked."""

    url: str
    settings: Settings


class Stamper(TimeStamper):
    """Over HTTP; an answer that is none counts as no answer."""

    def __init__(self, authority: TimeAuthority) -> None:
        """Takes whom to ask."""
        super().__init__()  # type: ignore[no-untyped-call]  # has no types
        self._authority = authority

    @override
    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> ContentInfo:
        try:
            return await super().async_timestamp(message_digest, md_algorithm)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TimestampRequestError("no time stamp") from error

    @override
    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        headers = set_tsp_headers({})
        url = self._authority.url
        question = Question(url, STAMP_SECONDS, LONGEST_STAMP, headers, req.dump())
        answer = await asked(question, self._authority.settings)
        if answer.headers.get("content-type", "").split(";")[0].strip() != REPLY:
            raise NoAnswer("no time stamp")
        return tsp.TimeStampResp.load(answer.content)


def fetchers(settings: Settings) -> Fetchers:
    """What pyHanko asks for certificates, lists and answers with, each through `asked`."""
    budget = FetchBudget(LIMITS)
    return Fetchers(
        ocsp_fetcher=_OCSP(settings, budget),
        crl_fetcher=_CRLs(settings, budget),
        cert_fetcher=_Certificates(settings, budget),
    )


class _Guarded:
    """In place of `RequestsFetcherMixin`'s way out, which follows redirects to anywhere.

    `NoAnswer` is a `ValueError`, which the fetchers take for a fetch that failed.
    """

    def __init__(self, settings: Settings, budget: FetchBudget) -> None:
        super().__init__(budget=budget)  # type: ignore[call-arg]  # the fetcher beside it has it
        self._settings = settings

    async def _get(self, url: str, *, acceptable_content_types: Any) -> httpx2.Response:
        headers = {"accept": ",".join(acceptable_content_types)}
        return await self._answer(url, headers)

    async def _post(
        self, url: str, data: bytes, *, content_type: str, acceptable_content_types: Any
    ) -> httpx2.Response:
        accept = ",".join(acceptable_content_types)
        return await self._answer(url, {"accept": accept, "content-type": content_type}, data)

    async def _answer(
        self, url: str, headers: dict[str, str], body: bytes | None = None
    ) -> httpx2.Response:
        question = Question(url, STAMP_SECONDS, LONGEST_EVIDENCE, headers, body)
        return await asked(question, self._settings)


# An answer of httpx2's has what is read of one of requests: `headers` and `content`.
class _OCSP(_Guarded, RequestsOCSPFetcher):  # type: ignore[misc]  # as above
    pass


class _CRLs(_Guarded, RequestsCRLFetcher):  # type: ignore[misc]  # as above
    pass


class _Certificates(_Guarded, RequestsCertificateFetcher):  # type: ignore[misc]  # as above
    pass
