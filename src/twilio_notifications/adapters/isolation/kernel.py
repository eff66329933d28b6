"""Makes the system calls of the isolation through ctypes: Landlock, seccomp, prctl and capset.

Neither Python nor a maintained package has wrappers for them. Each function makes one step, raises OSError
like the os module, and decides nothing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from typing import TYPE_CHECKING

from twilio_notifications.adapters.isolation.landlock import ON_A_FILE, Offer
from twilio_notifications.adapters.isolation.system_calls import ARCHITECTURES

if TYPE_CHECKING:
    from twilio_notifications.adapters.isolation.landlock import PathRule, Ruleset
    from twilio_notifications.adapters.isolation.seccomp import Block

# These numbers are the same on every architecture for which Python has wheels.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1 << 0
_PATH_BENEATH, _NET_PORT = 1, 2

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_SIZE_OF_CAPABILITY_SETS = 24
_MOST_CAPABILITIES = 64
_LARGEST_OF_32_BITS = 2**32

_WHY_ABSENT = {
    errno.ENOSYS: "this kernel was built without it, or is older than Linux 5.13",
    errno.EOPNOTSUPP: "this kernel has it, but it was not switched on at boot",
    errno.EPERM: "a protection around this process, such as a container's filter, forbids the system call",
}


def discover() -> Offer:
    """What this kernel offers for isolation. Changes nothing, and raises nothing."""
    if sys.platform != "linux":
        reason = f"it exists on Linux only, and this is {sys.platform}"
        return Offer(version=0, reason=reason, no_filter=reason)
    no_filter = _why_no_filter()
    try:
        version = _system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError as error:
        return Offer(version=0, reason=_WHY_ABSENT.get(error.errno or 0, str(error)), no_filter=no_filter)
    return Offer(version=version, no_filter=no_filter)


def _why_no_filter() -> str:
    if architecture() is None:
        return f"this program does not know the numbers of its system calls on {os.uname().machine}"
    libc = ctypes.CDLL(None, use_errno=True)
    # The program is at address 0 and never accepted: EFAULT comes from a kernel that takes filters.
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    libc.prctl(ctypes.c_int(_PR_SET_SECCOMP), mode, None, None, None)
    number = ctypes.get_errno()
    return "" if number == errno.EFAULT else f"this kernel takes no filter: {os.strerror(number)}"


def architecture() -> str | None:
    """The key in ARCHITECTURES for the system calls of this process; None for any other architecture.

    A 32-bit program makes other system calls than its kernel's machine name says.
    """
    machine = os.uname().machine
    is_known = machine in ARCHITECTURES and sys.maxsize > _LARGEST_OF_32_BITS and sys.byteorder == "little"
    return machine if is_known else None


def filter_system_calls(program: Block) -> None:
    """Puts the filter in force for the calling thread and the threads that it starts; needs no_new_privs."""
    instructions = ctypes.create_string_buffer(b"".join(step.encoded() for step in program))
    # struct sock_fprog
    description = struct.pack("@HP", len(program), ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    unused = ctypes.c_ulong(0)
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    _require_success(libc.prctl(ctypes.c_int(_PR_SET_SECCOMP), mode, description, unused, unused))


def restrict(ruleset: Ruleset) -> None:
    """Puts the ruleset in force for the calling thread and everything that it starts; final."""
    attributes = struct.pack("=QQQ", ruleset.files, ruleset.ports, ruleset.scopes)
    descriptor = _system_call(
        _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
    )
    try:
        for path_rule in ruleset.path_rules:
            _add_path(descriptor, path_rule)
        for port_rule in ruleset.port_rules:
            _add_rule(descriptor, _NET_PORT, struct.pack("=QQ", port_rule.rights, port_rule.port))
        _system_call(_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _add_path(ruleset: int, rule: PathRule) -> None:
    """Adds the rule, unless the path does not exist or this user cannot reach it anyway."""
    try:
        path = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(path).st_mode)
        rights = rule.rights if is_folder else rule.rights & ON_A_FILE
        _add_rule(ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, path))
    finally:
        os.close(path)


def _add_rule(ruleset: int, kind: int, rule: bytes) -> None:
    _system_call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(kind), rule, ctypes.c_uint32(0))


def forbid_new_privileges() -> None:
    """From now on, the kernel ignores setuid bits and file capabilities of the programs that it executes."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def forbid_dumps() -> None:
    """From now on, there are no core dumps, and no other process of this user can read this one's memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def clear_ambient_capabilities() -> None:
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)


def clear_capability_bounds() -> None:
    """Removes every capability from the bounding set; raises PermissionError where this process may not."""
    for capability in range(_MOST_CAPABILITIES):
        try:
            held = _prctl(_PR_CAPBSET_READ, capability)
        except OSError:  # EINVAL: this kernel knows no further capability
            return
        if held:
            _prctl(_PR_CAPBSET_DROP, capability)


def holds_capabilities() -> bool:
    """Whether the calling thread has a capability in its effective, permitted or inheritable set."""
    libc = ctypes.CDLL(None, use_errno=True)
    sets = ctypes.create_string_buffer(_SIZE_OF_CAPABILITY_SETS)
    _require_success(libc.capget(_this_thread(), sets))
    return any(sets.raw)


def clear_capabilities() -> None:
    """Empties the effective, permitted and inheritable sets of the calling thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    _require_success(libc.capset(_this_thread(), bytes(_SIZE_OF_CAPABILITY_SETS)))


def _this_thread() -> ctypes.Array[ctypes.c_char]:
    # The buffer is writable: the kernel may write the version that it prefers into it.
    return ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))


def _prctl(option: int, value: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    unused = ctypes.c_ulong(0)
    return _require_success(libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), unused, unused, unused))


def _system_call(
    number: int, *arguments: ctypes.c_int | ctypes.c_uint32 | ctypes.c_size_t | bytes | None
) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return _require_success(libc.syscall(ctypes.c_long(number), *arguments))


def _require_success(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
