"""`/healthz`, `/readyz` and `/metrics`: for whoever operates this; nothing secret is told."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.errors import RETRY_AFTER_SECONDS
from api.metrics import Metrics
from api.readiness import Readiness, Report

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def get_health() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "PostgreSQL is away or not migrated"}})
async def get_readiness(request: Request) -> Response:
    """Whether requests can be served, and what is behind."""
    report = await _report(request)
    if report.is_ready:
        return JSONResponse(_shape(report))
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return JSONResponse(_shape(report), 503, headers)


async def _report(request: Request) -> Report:
    readiness: Readiness = request.app.state.readiness
    return await readiness.report()


def _shape(report: Report) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "status": _status(report),
        "database": report.database,
        "temporal": "up" if report.temporal else "down",
    }
    if report.behind is None:
        return shape
    since = report.behind.since
    waiting = {
        "intents": report.behind.intents,
        "mails": report.behind.mails,
        "unsettled": report.behind.unsettled,
        "audit": report.behind.audit,
        "checks": report.behind.checks,
        "oldest_seconds": round((report.at - since).total_seconds(), 1) if since else 0,
    }
    return shape | {"behind": waiting}


def _status(report: Report) -> str:
    if not report.is_ready:
        return "unavailable"
    return "behind" if report.is_behind else "ready"


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """What is counted, in Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    report = await _report(request)
    if report.behind is not None:
        metrics.show_backlog(report.behind)
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
