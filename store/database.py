"""The connection to PostgreSQL: pool, timeouts, and what counts as its being away."""

from datetime import timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from domain.settings import Settings

POOL_WAIT = timedelta(seconds=3)
CONNECT_WAIT = timedelta(seconds=3)
KEEPALIVE = {
    # A server that fell silent is given up after this, in seconds and milliseconds.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def connect(settings: Settings) -> AsyncEngine:
    """An engine whose every wait is bounded, so that no request hangs on a sick database."""
    lock = int(settings.database_lock_timeout.total_seconds() * 1000)
    statement = int(settings.database_statement_timeout.total_seconds() * 1000)
    return create_async_engine(
        settings.database_url,
        pool_size=settings.database_pool,
        max_overflow=0,
        # Values of a failed statement are answers and addresses: no error may carry them.
        hide_parameters=True,
        pool_timeout=POOL_WAIT.total_seconds(),
        connect_args={
            "connect_timeout": int(CONNECT_WAIT.total_seconds()),
            **KEEPALIVE,
            "options": f"-c lock_timeout={lock} -c statement_timeout={statement} -c timezone=UTC",
        },
    )


UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout, ConnectionError, TimeoutError)
_NO_ANSWER = (OperationalError, InterfaceError)
_AWAY_STATES = ("08", "25006", "53", "57", "55P03", "40001", "40P01")


def is_away(error: BaseException) -> bool:
    """Whether an error means that PostgreSQL is away, full, or too busy: try again later."""
    if isinstance(error, DBAPIError):
        state: Any = getattr(error.orig, "sqlstate", None)
        if state is None:
            # No answer came from the server: a lost connection, unless our own value is at fault.
            return error.connection_invalidated or isinstance(error, _NO_ANSWER)
        return str(state).startswith(_AWAY_STATES)
    return isinstance(error, UNAVAILABLE)
