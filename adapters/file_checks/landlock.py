"""No file can be opened and no TCP connection made any more (landlock(7)).

A ruleset that handles every kind of access and has no rule denies it all. What is open stays open.
"""

import ctypes
import os
import struct

from adapters.linux import system_call

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION = 1
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many kinds of access to files there are, from which version of the interface on."""
_TCP_FROM, _BIND_AND_CONNECT = 4, 0b11
_SCOPES_FROM, _SOCKETS_AND_SIGNALS = 6, 0b11


def landlock_version() -> int:
    """The version of the kernel's interface, 0 where there is none."""
    try:
        return system_call(_CREATE_RULESET, 0, 0, _VERSION)
    except OSError:
        return 0


def deny_access(version: int) -> None:
    """Bind this thread for ever; `version` is 1 or more, and no_new_privs is set."""
    handled = _handled(version)
    place = ctypes.create_string_buffer(handled, len(handled))
    ruleset = system_call(_CREATE_RULESET, ctypes.addressof(place), len(handled), 0)
    system_call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _handled(version: int) -> bytes:
    """`struct landlock_ruleset_attr` as that version knows it; a longer one would be refused."""
    kinds = max(count for since, count in _FILES.items() if since <= version)
    handled = struct.pack("=Q", (1 << kinds) - 1)
    if version >= _TCP_FROM:
        handled += struct.pack("=Q", _BIND_AND_CONNECT)
    if version >= _SCOPES_FROM:
        handled += struct.pack("=Q", _SOCKETS_AND_SIGNALS)
    return handled
