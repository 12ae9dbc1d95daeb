"""What is asked of Linux itself and has no function in Python's library (prctl(2), syscall(2))."""

import ctypes
import os
import sys

_SET_DUMPABLE = 4


def prctl(option: int, *arguments: int) -> int:
    """Changes something of this process; raises `OSError` when the kernel does not want to."""
    call = ctypes.CDLL(None, use_errno=True).prctl
    return _succeeded(call(ctypes.c_int(option), *map(ctypes.c_ulong, arguments)))


def system_call(number: int, *arguments: int) -> int:
    """Calls the kernel by number; raises `OSError`, with ENOSYS where it knows no such call."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return _succeeded(call(ctypes.c_long(number), *map(ctypes.c_ulong, arguments)))


def _succeeded(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def close_memory() -> None:
    """Keeps memory and environment of this process from others of its account; no core dumps.

    `/proc/PID/mem` and `environ` belong to root from now on (proc(5)), and nobody may attach.
    """
    if sys.platform == "linux":
        prctl(_SET_DUMPABLE, 0)
