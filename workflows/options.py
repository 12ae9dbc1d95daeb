"""Timeouts and retry policies, each a constant."""

from datetime import timedelta
from typing import Final, NotRequired, TypedDict

from temporalio.common import RetryPolicy


class ActivityOptions(TypedDict):
    """The options every activity is called with."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: NotRequired[timedelta]
    retry_policy: RetryPolicy


class LocalOptions(TypedDict):
    """The options of a local activity, which writes one event of history."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


COMMIT: Final = ActivityOptions(
    # A commit is retried until SQL's outcome is known: no maximum, no schedule-to-close.
    start_to_close_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=20),
    ),
)

SMTP: Final = ActivityOptions(
    # Longer than the longest talk with the server that the settings allow, and two commits.
    start_to_close_timeout=timedelta(minutes=3),
    # A worker that dies in the middle is noticed after this: somebody waits for the code.
    heartbeat_timeout=timedelta(seconds=15),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=1),
    ),
)

SWEEP: Final = ActivityOptions(
    # Longer than a step goes on, the transaction or call that it is in, and a slow start; the
    # orphans' step waits before it asks again, and then has a batch to delete.
    start_to_close_timeout=timedelta(minutes=2),
    heartbeat_timeout=timedelta(seconds=15),
    # A step that keeps failing must not keep the others waiting: the next run tries it again.
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_attempts=3,
    ),
)

SCAN: Final = ActivityOptions(
    # Longer than the longest scan of the largest file, and two commits.
    start_to_close_timeout=timedelta(minutes=12),
    heartbeat_timeout=timedelta(seconds=30),
    # A scanner that is away comes back: no maximum, no schedule-to-close.
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=30),
    ),
)

LOOK: Final = LocalOptions(
    # A look at one row. What cannot be reached is tried again for as long as it takes.
    start_to_close_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=20),
    ),
)

SEAL: Final = ActivityOptions(
    # Longer than the longest document takes, and a time stamp from a slow authority.
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=15),
    # Sealed it is in the end: no maximum, no schedule-to-close.
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=5),
    ),
)

LOOKS_AGAIN_AFTER: Final = timedelta(days=1)
"""Without any news of an agreement: what was told may be lost with a restored database."""
