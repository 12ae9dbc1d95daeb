"""What the process counts for Prometheus. Labels are few and known: no id, no address, no path."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from store.backlog import Backlog

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LINK_ROUTE = "/s/{token"


class Metrics:
    """The numbers of one application; each application has its own registry."""

    def __init__(self, open_pages: Callable[[], int]) -> None:
        """Takes how to count the pages that are open now."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "gatepass_http_requests",
            "Requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "gatepass_http_request_seconds",
            "Time to answer, streams left out",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._visits = Counter(
            "gatepass_link_visits",
            "Openings of links, mail scanners included",
            registry=self.registry,
        )
        self.reports = Counter(
            "gatepass_delivery_reports",
            "Mails taken as reports",
            ["outcome"],
            registry=self.registry,
        )
        self._intents = self._gauge("gatepass_intents_waiting", "Intents that wait for Temporal")
        self._mails = self._gauge("gatepass_mails_waiting", "Mails neither sent nor refused")
        self._unsettled = self._gauge(
            "gatepass_sessions_unsettled", "Ended sessions whose consequences wait"
        )
        self._audit = self._gauge(
            "gatepass_audit_events_waiting", "Events without a place in the audit log"
        )
        self._checks = self._gauge(
            "gatepass_uploads_waiting", "Files that wait to be checked for viruses"
        )
        pages = self._gauge("gatepass_pages_open", "Pages that listen for the end of their session")
        pages.set_function(open_pages)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Counts one answered request; `seconds` is None for a stream."""
        self._requests.labels(method, route, status).inc()
        if seconds is not None:
            self._durations.labels(route).observe(seconds)
        if method == "GET" and route.startswith(LINK_ROUTE) and route.endswith("}"):
            self._visits.inc()

    def show_backlog(self, backlog: Backlog) -> None:
        """Remembers what is behind until it is asked for again."""
        self._intents.set(backlog.intents)
        self._mails.set(backlog.mails)
        self._unsettled.set(backlog.unsettled)
        self._audit.set(backlog.audit)
        self._checks.set(backlog.checks)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
