"""Ports of the loopback interface."""

import errno
import secrets
import socket
from contextlib import closing

LOOPBACK = "127.0.0.1"
_LOOPBACKS = ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1"))
_TRIES = 200
_NOT_HANDED_OUT = range(10_000, 32_768)
"""Linux takes the ports of outgoing connections from 32768 on (ip(7), ip_local_port_range)."""


class NoFreePortError(Exception):
    """No port near the wanted one is free."""


def free_port() -> int:
    """A port for a server: nobody uses it, and for a minute nobody else is given it.

    Raises `NoFreePortError` when chance finds none.
    """
    for _ in range(_TRIES):
        port = secrets.choice(_NOT_HANDED_OUT)
        if is_free(port) and _set_aside(port):
            return port
    raise NoFreePortError(f"no free port of {_TRIES} tried")


def is_free(port: int) -> bool:
    """Whether a server may listen on `port` of 127.0.0.1 without hiding one of `localhost`."""
    return all(_binds(family, host, port) for family, host in _LOOPBACKS)


def port_or_next(wanted: int, taken: frozenset[int] = frozenset()) -> int:
    """`wanted`, or the next port that is free and not `taken`; raises `NoFreePortError`."""
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        if port not in taken and is_free(port):
            return port
    raise NoFreePortError(f"no free port from {wanted} on")


def answers(port: int) -> bool:
    """Whether something accepts connections on `port`."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _set_aside(port: int) -> bool:
    """Whether `port` was nobody's and is in TIME_WAIT now.

    There a server may bind it, because servers set SO_REUSEADDR, while those who look for a free
    port, in this process or another, pass it by. The side that closes first is the one that waits.
    """
    with closing(socket.socket()) as server:
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.listen(1)
        with closing(socket.create_connection((LOOPBACK, port))) as visitor:
            accepted, _ = server.accept()
            accepted.close()
            visitor.recv(1)
    return True


def _binds(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with closing(socket.socket(family)) as probe:
            # As servers do it: a port in TIME_WAIT, from a run a moment ago, counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        # A machine without IPv6 has no ::1 to hide.
        return error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
    return True
