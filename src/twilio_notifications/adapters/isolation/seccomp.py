"""The filter of system calls that closes what Landlock leaves open, as a program of the kernel's classic BPF.

Pure: `kernel` puts the program in force. It answers what the connector never does with an error and lets the
rest pass, so that a library's new version goes on working; a system call that is newer than the table of
numbers does not exist for the connector. https://docs.kernel.org/userspace-api/seccomp_filter.html

A block is a tuple of instructions that ends with an answer on every path. Blocks are put together from
their ends: `_when(…, then=block, otherwise=block)`.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.isolation.system_calls import HIGHEST, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.adapters.isolation.system_calls import Architecture

# struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

# Instructions of linux/bpf_common.h: class, size or operation, operand.
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_ABOVE, _IF_ANY_BIT = 0x15, 0x25, 0x45
_ALLOW, _ERROR = 0x7FFF_0000, 0x0005_0000
_LONGEST_JUMP = 255

# The socket module does not have all of these, and not on every system.
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_STREAM, _DATAGRAM, _TYPE_BITS = 1, 2, 0xF
_NETLINK_ROUTE = 0
_FAST_OPEN = 0x2000_0000
_FAST_OPEN_OPTIONS = (23, 30, 33, 34)
_TCP_ULP = 31
"""Makes another protocol of a TCP socket, SMC among them."""

_NEW_NAMESPACES = 0x7E02_0000
"""CLONE_NEW* of linux/sched.h, but CLONE_NEWTIME, which clone does not take."""

_TERMINAL_CONTROLS = (0x5412, 0x541C, 0x540E, 0x541D, 0x5423)
"""TIOCSTI types into the terminal; TIOCLINUX, TIOCSCTTY, TIOCCONS, TIOCSETD."""
_ATTRIBUTE_CONTROLS = (0x4008_6602, 0x401C_5820)
"""FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR."""

_SET_DUMPABLE, _SET_MM, _SET_PTRACER = 4, 35, 0x5961_6D61


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """struct sock_filter; the jumps count the instructions that are passed over."""

    code: int
    if_true: int = 0
    if_false: int = 0
    value: int

    def encoded(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.if_true, self.if_false, self.value)


Block = tuple[Instruction, ...]


def program(architecture: Architecture, *, unix_sockets: bool) -> Block:
    """The whole filter. Without `unix_sockets` no socket of this machine can be made, but pairs."""
    rest = _allow()
    for numbers, answer in reversed(list(_rules(architecture, unix_sockets=unix_sockets))):
        rest = _when(_NUMBER, _IF_EQUAL, numbers, then=answer, otherwise=rest)
    # Numbers of x32, which have a high bit set, are above it too.
    rest = _when(_NUMBER, _IF_ABOVE, (HIGHEST,), then=_refuse(errno.ENOSYS), otherwise=rest)
    # Another architecture, such as i386 on x86-64, has other numbers for the same system calls.
    native = (architecture.audit,)
    return (
        _load(_ARCHITECTURE),
        Instruction(code=_IF_EQUAL, if_true=1, value=native[0]),
        *_refuse(errno.ENOSYS),
        *rest,
    )


def _rules(architecture: Architecture, *, unix_sockets: bool) -> Iterable[tuple[tuple[int, ...], Block]]:
    """System calls, and the answer to them; no two have a system call in common."""
    of = architecture.of
    yield of(*NEVER), _refuse(errno.EPERM)
    # Listeners are opened before the process is confined. Landlock does not see one without a bound port.
    yield of("execve", "execveat", "listen"), _refuse(errno.EACCES)
    # The C library goes back to clone, and event loops to epoll, where the kernel does not have these.
    yield of("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"), _refuse(errno.ENOSYS)
    yield of("clone"), _unless_any_bit(argument=0, bits=_NEW_NAMESPACES)
    yield of("socket"), _socket(unix_sockets=unix_sockets)
    yield of("socketpair"), _socketpair()
    yield of("sendto", "sendmmsg"), _unless_any_bit(argument=3, bits=_FAST_OPEN)
    yield of("sendmsg"), _unless_any_bit(argument=2, bits=_FAST_OPEN)
    yield of("setsockopt"), _setsockopt()
    yield of("ioctl"), _unless_one_of(argument=1, values=_TERMINAL_CONTROLS + _ATTRIBUTE_CONTROLS)
    yield of("prctl"), _unless_one_of(argument=0, values=(_SET_DUMPABLE, _SET_MM, _SET_PTRACER))
    # 0 is this process itself, and what the C library's getrlimit and setrlimit name.
    yield of("prlimit64"), _only(argument=0, values=(0,))


def _socket(*, unix_sockets: bool) -> Block:
    """TCP, UDP and the kernel's routing table, and where they are wanted the sockets of this machine."""
    internet = _when_type(
        _STREAM,
        then=_only(argument=2, values=(0, socket.IPPROTO_TCP)),
        otherwise=_when_type(
            _DATAGRAM,
            then=_only(argument=2, values=(0, socket.IPPROTO_UDP)),
            otherwise=_refuse(errno.EPERM),
        ),
    )
    unix = _when_type(_STREAM, then=_allow(), otherwise=_refuse(errno.EPERM))
    rest = _refuse(errno.EPERM)
    for family, answer in (
        ((_AF_UNIX,), unix if unix_sockets else _refuse(errno.EPERM)),
        ((_AF_NETLINK,), _only(argument=2, values=(_NETLINK_ROUTE,))),
        ((_AF_INET, _AF_INET6), internet),
    ):
        rest = _when(_argument(0), _IF_EQUAL, family, then=answer, otherwise=rest)
    return rest


def _socketpair() -> Block:
    """Streams alone: a datagram socket of a pair can be connected again, to any path of this machine."""
    stream = _when_type(_STREAM, then=_allow(), otherwise=_refuse(errno.EPERM))
    return _when(_argument(0), _IF_EQUAL, (_AF_UNIX,), then=stream, otherwise=_refuse(errno.EPERM))


def _setsockopt() -> Block:
    options = _unless_one_of(argument=2, values=(*_FAST_OPEN_OPTIONS, _TCP_ULP))
    return _when(_argument(1), _IF_EQUAL, (socket.IPPROTO_TCP,), then=options, otherwise=_allow())


def _only(*, argument: int, values: tuple[int, ...]) -> Block:
    return _when(_argument(argument), _IF_EQUAL, values, then=_allow(), otherwise=_refuse(errno.EPERM))


def _unless_one_of(*, argument: int, values: tuple[int, ...]) -> Block:
    return _when(_argument(argument), _IF_EQUAL, values, then=_refuse(errno.EPERM), otherwise=_allow())


def _unless_any_bit(*, argument: int, bits: int) -> Block:
    return _when(_argument(argument), _IF_ANY_BIT, (bits,), then=_refuse(errno.EPERM), otherwise=_allow())


def _when_type(kind: int, *, then: Block, otherwise: Block) -> Block:
    """By the type of a socket, which has flags in its upper bits."""
    masked = (_load(_argument(1)), Instruction(code=_AND, value=_TYPE_BITS))
    return masked + _when(None, _IF_EQUAL, (kind,), then=then, otherwise=otherwise)


def _when(
    offset: int | None, comparison: int, values: tuple[int, ...], *, then: Block, otherwise: Block
) -> Block:
    """Compares the word at the offset (None: the one that is loaded) with each value."""
    assert len(values) + len(then) <= _LONGEST_JUMP, "a jump has one byte"
    last = len(values) - 1
    tests = tuple(
        Instruction(
            code=comparison, if_true=last - place, if_false=len(then) if place == last else 0, value=value
        )
        for place, value in enumerate(values)
    )
    load = () if offset is None else (_load(offset),)
    return load + tests + then + otherwise


def _argument(place: int) -> int:
    """Where the lower half of an argument is, on a little-endian machine.

    All that is looked at is an `int` to the kernel, which does not look at the upper half either.
    """
    return _ARGUMENTS + 8 * place


def _load(offset: int) -> Instruction:
    return Instruction(code=_LOAD, value=offset)


def _allow() -> Block:
    return (Instruction(code=_RETURN, value=_ALLOW),)


def _refuse(error: int) -> Block:
    return (Instruction(code=_RETURN, value=_ERROR | error),)
