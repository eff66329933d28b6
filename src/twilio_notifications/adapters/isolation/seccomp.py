"""Builds the filter of system calls, which closes what Landlock leaves open, as a program in classic BPF.

Pure: `kernel` puts the program in force. The filter answers system calls that the connector never makes
with an error and allows the others, so that new versions of libraries keep working. It answers a system
call that is newer than the table of numbers as if the kernel did not have it.
https://docs.kernel.org/userspace-api/seccomp_filter.html

A block is a tuple of instructions that ends with an answer on every path. A larger block contains the blocks
that follow it: `_when(…, then=block, otherwise=block)`.
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

# The socket module lacks some of these, on some systems.
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_STREAM, _DATAGRAM, _TYPE_BITS = 1, 2, 0xF
_NETLINK_ROUTE = 0
_FAST_OPEN = 0x2000_0000
_FAST_OPEN_OPTIONS = (23, 30, 33, 34)
_TCP_ULP = 31
"""The option that turns a TCP socket into one of another protocol, such as SMC."""

_NEW_NAMESPACES = 0x7E02_0000
"""CLONE_NEW* of linux/sched.h, without CLONE_NEWTIME, which clone does not accept."""

_TERMINAL_CONTROLS = (0x5412, 0x541C, 0x540E, 0x541D, 0x5423)
"""TIOCSTI (types into the terminal), TIOCLINUX, TIOCSCTTY, TIOCCONS, TIOCSETD."""
_ATTRIBUTE_CONTROLS = (0x4008_6602, 0x401C_5820)
"""FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR."""

_SET_DUMPABLE, _SET_MM, _SET_PTRACER = 4, 35, 0x5961_6D61


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """struct sock_filter; a jump is the number of instructions to skip."""

    code: int
    if_true: int = 0
    if_false: int = 0
    value: int

    def encoded(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.if_true, self.if_false, self.value)


Block = tuple[Instruction, ...]


def program(architecture: Architecture, *, unix_sockets: bool) -> Block:
    """The whole filter. Without `unix_sockets`, the process can make Unix sockets only as pairs."""
    rest = _allow()
    for numbers, answer in reversed(list(_rules(architecture, unix_sockets=unix_sockets))):
        rest = _when(_NUMBER, _IF_EQUAL, numbers, then=answer, otherwise=rest)
    # The numbers of x32 are above it too: they have a high bit set.
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
    """Groups of system calls with the answer to them; no system call is in two groups."""
    of = architecture.of
    yield of(*NEVER), _refuse(errno.EPERM)
    # Listeners are opened before the process is confined, and Landlock misses a listener without a bound
    # port.
    yield of("execve", "execveat", "listen"), _refuse(errno.EACCES)
    # On a kernel without these, the C library uses clone, and event loops use epoll.
    yield of("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"), _refuse(errno.ENOSYS)
    yield of("clone"), _unless_any_bit(argument=0, bits=_NEW_NAMESPACES)
    yield of("socket"), _socket(unix_sockets=unix_sockets)
    # A pair only of streams: a datagram socket of a pair can be connected again, to any Unix socket.
    pair = _when_type(_STREAM, then=_allow(), otherwise=_refuse(errno.EPERM))
    unix_pair = _when(_argument(0), _IF_EQUAL, (_AF_UNIX,), then=pair, otherwise=_refuse(errno.EPERM))
    yield of("socketpair"), unix_pair
    yield of("sendto", "sendmmsg"), _unless_any_bit(argument=3, bits=_FAST_OPEN)
    yield of("sendmsg"), _unless_any_bit(argument=2, bits=_FAST_OPEN)
    tcp_options = _unless_one_of(argument=2, values=(*_FAST_OPEN_OPTIONS, _TCP_ULP))
    options = _when(_argument(1), _IF_EQUAL, (socket.IPPROTO_TCP,), then=tcp_options, otherwise=_allow())
    yield of("setsockopt"), options
    yield of("ioctl"), _unless_one_of(argument=1, values=_TERMINAL_CONTROLS + _ATTRIBUTE_CONTROLS)
    yield of("prctl"), _unless_one_of(argument=0, values=(_SET_DUMPABLE, _SET_MM, _SET_PTRACER))
    # 0 is this process; getrlimit and setrlimit of the C library use it.
    yield of("prlimit64"), _only(argument=0, values=(0,))


def _socket(*, unix_sockets: bool) -> Block:
    """Allows TCP, UDP, the kernel's routing table and, with `unix_sockets`, Unix streams."""
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


def _only(*, argument: int, values: tuple[int, ...]) -> Block:
    return _when(_argument(argument), _IF_EQUAL, values, then=_allow(), otherwise=_refuse(errno.EPERM))


def _unless_one_of(*, argument: int, values: tuple[int, ...]) -> Block:
    return _when(_argument(argument), _IF_EQUAL, values, then=_refuse(errno.EPERM), otherwise=_allow())


def _unless_any_bit(*, argument: int, bits: int) -> Block:
    return _when(_argument(argument), _IF_ANY_BIT, (bits,), then=_refuse(errno.EPERM), otherwise=_allow())


def _when_type(kind: int, *, then: Block, otherwise: Block) -> Block:
    """Compares the type of a socket, without the flags in its upper bits."""
    masked = (_load(_argument(1)), Instruction(code=_AND, value=_TYPE_BITS))
    return masked + _when(None, _IF_EQUAL, (kind,), then=then, otherwise=otherwise)


def _when(
    offset: int | None, comparison: int, values: tuple[int, ...], *, then: Block, otherwise: Block
) -> Block:
    """Compares the word at the offset (None: the word that is already loaded) with each value."""
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
    """The offset of the lower half of an argument, on a little-endian machine.

    The filter compares only arguments that are an `int` to the kernel, which ignores the upper half too.
    """
    return _ARGUMENTS + 8 * place


def _load(offset: int) -> Instruction:
    return Instruction(code=_LOAD, value=offset)


def _allow() -> Block:
    return (Instruction(code=_RETURN, value=_ALLOW),)


def _refuse(error: int) -> Block:
    return (Instruction(code=_RETURN, value=_ERROR | error),)
