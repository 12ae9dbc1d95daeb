"""Ports: a busy one is replaced by the next, and said."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from socket import AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket

import pytest

from adapters.embedded.demo_ports import Ports, choose_ports
from adapters.embedded.ports import NoFreePortError, answers, free_port, is_free, port_or_next


@pytest.fixture
def busy() -> Iterator[int]:
    with closing(socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_busy_port_is_seen(busy: int) -> None:
    assert not is_free(busy)
    assert answers(busy)
    port = free_port()
    assert is_free(port)
    assert not answers(port)


def test_what_one_process_was_given_no_other_is() -> None:
    """Tests run beside each other, and a server binds its port only when it has started."""
    code = (
        "from adapters.embedded import ports\n"
        "ports._NOT_HANDED_OUT = range(20_000, 21_000)\n"
        "print(*(ports.free_port() for _ in range(40)))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(4)
    ]
    given = [int(port) for each in running for port in each.communicate()[0].split()]
    assert len(given) == 160
    assert len(set(given)) == 160


def test_a_port_that_was_given_waits_for_a_server() -> None:
    port = free_port()
    with closing(socket()) as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with closing(socket()) as server:
        server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        assert answers(port)


def test_a_server_on_the_other_loopback_counts_as_busy() -> None:
    """A browser asks `localhost` at ::1 first and would reach a stranger."""
    with closing(socket(AF_INET6)) as server:
        server.bind(("::1", 0))
        server.listen()
        assert not is_free(server.getsockname()[1])


def test_the_next_free_port_is_taken(busy: int) -> None:
    assert port_or_next(busy) > busy
    wanted = free_port()
    assert port_or_next(wanted) == wanted
    assert port_or_next(wanted, frozenset([wanted])) > wanted


def test_past_the_last_port_there_is_none() -> None:
    with pytest.raises(NoFreePortError, match="65536"):
        port_or_next(65536)


def test_a_replaced_port_is_said_and_none_is_given_twice(busy: int) -> None:
    said: list[str] = []
    ports = choose_ports(Ports(busy, busy, *(free_port() for _ in range(3))), said.append)
    assert len({ports.api, ports.mailbox, busy}) == 3
    assert f"Port {busy} is busy: API gets {ports.api}." in said
    assert f"Port {busy} is busy: mailbox gets {ports.mailbox}." in said
