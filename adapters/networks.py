"""Networks as settings name them, and which addresses are in the world outside.

Where an administrator of a workspace chooses the name that we connect to, nothing inside our own
network may answer (OWASP SSRF prevention; ASVS 13.2.5).
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from adapters.settings import SettingsError, variable_of

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
NAT64 = ip_network("64:ff9b::/96")
UNICAST = ip_network("2000::/3")
"""All of IPv6 that is given to anybody (IANA).

Outside of it some stand for an IPv4 address in a way that is given up or a network's own (::/96,
::ffff:0:0:0/96, 64:ff9b:1::/48), and some are of one site (fec0::/10).
"""
INNER = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "3fff::/20")))
"""What else `ipaddress` takes for global.

Azure's own services, in every network there; protocol assignments (RFC 6890); documentation
(RFC 9637).
"""


class NotOutside(ValueError):
    """A name that leads to nothing but addresses that we do not talk to."""


def read_networks(text: str, setting: str) -> tuple[Network, ...]:
    """The networks that a setting lists; raises `SettingsError`."""
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise SettingsError(f"{variable_of(setting)}: {error}") from error


def address_in(text: str) -> Address | None:
    """A text as an address, if it is one."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_within(address: Address | None, networks: tuple[Network, ...]) -> bool:
    """Whether an address is one of these networks'."""
    return address is not None and any(address in each for each in networks)


def is_outside(address: Address) -> bool:
    """Whether an address can be anybody's, and not only of a network such as ours (RFC 6890)."""
    meant = _meant(address)
    if isinstance(meant, IPv6Address) and meant not in UNICAST:
        return False
    return meant.is_global and not meant.is_multicast and not is_within(meant, INNER)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


async def addresses_of(host: str, port: int) -> list[Address]:
    """What a name leads to, as the machine's resolver says; raises `OSError` for nothing."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    known = [address_in(str(each[4][0])) for each in found]
    return list(dict.fromkeys(each for each in known if each is not None))
