"""What the worker takes away from itself: first resources, then, once all code is loaded, nearly every system call.

The decoders are C code with known memory errors, so a file is taken to be able to run code of its own in this process. What
it then finds is a process that can read its input, write its answer and compute, and not for long.
"""

import ctypes
import math
import os
import platform
import resource
import signal
import struct
from typing import Final

_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2

_AUDIT_ARCH_X86_64: Final = 0xC000003E
_X86_64_CALLS: Final = (
    0,  # read
    1,  # write
    3,  # close
    5,  # fstat
    8,  # lseek
    9,  # mmap
    10,  # mprotect
    11,  # munmap
    12,  # brk
    13,  # rt_sigaction
    14,  # rt_sigprocmask
    15,  # rt_sigreturn
    24,  # sched_yield
    25,  # mremap
    28,  # madvise
    38,  # setitimer
    60,  # exit
    96,  # gettimeofday
    98,  # getrusage
    202,  # futex
    219,  # restart_syscall
    228,  # clock_gettime
    231,  # exit_group
    318,  # getrandom
)
"""System calls of Linux on x86-64 that decoding takes. Among the others: to open, to connect, to start, to kill, to trace."""

_LOAD_CALL: Final = (0x20, 0, 0, 0)  # load the word at offset 0 of struct seccomp_data
_LOAD_ARCH: Final = (0x20, 0, 0, 4)
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_KILL_PROCESS: Final = 0x80000000
_ALLOW: Final = 0x7FFF0000
_FAIL_WITH_EPERM: Final = 0x00050001  # fails softly, so that libraries go on without what they can do without


def limit_resources(*, memory: int, cpu: float, pictures: int) -> None:
    """Limit the address space to `memory` bytes and the CPU to `cpu` seconds for each of `pictures` pictures.

    To be called before any code that is not the standard library's is loaded.
    """
    os.closerange(3, 1 << 16)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the gateway, which ends its workers itself
    total = math.ceil(cpu) * (pictures + 1)
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, total),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),  # to import with
    ):
        _, hard = resource.getrlimit(kind)
        lowered = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (lowered, lowered))


def limit_cpu(seconds: float) -> None:
    """Have the kernel end this process (SIGPROF) after so many more seconds of CPU time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def seal() -> bool:
    """Give up all but a few system calls, for good. Return whether that could be done: on Linux on x86-64.

    Elsewhere no file and no socket can be opened any more, and that is all.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or platform.machine() != "x86_64":
        return False
    program = ctypes.create_string_buffer(_filter())
    length = (len(program) - 1) // 8
    # struct sock_fprog
    described = struct.pack("HxxxxxxQ", length, ctypes.addressof(program))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(described), 0, 0) == 0)


def _filter() -> bytes:
    """The filter as a program of classic BPF: an allow-list."""
    last = len(_X86_64_CALLS) - 1
    program = [
        _LOAD_ARCH,
        (_JUMP_IF_EQUAL, 1, 0, _AUDIT_ARCH_X86_64),
        (_RETURN, 0, 0, _KILL_PROCESS),  # 32-bit calls have other numbers
        _LOAD_CALL,
        *((_JUMP_IF_EQUAL, last - index + 1, 0, call) for index, call in enumerate(_X86_64_CALLS)),
        (_RETURN, 0, 0, _FAIL_WITH_EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)
