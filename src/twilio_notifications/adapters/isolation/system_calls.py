"""The system calls that a confined connector never makes, with their numbers on each architecture.

The numbers come from Linux's asm/unistd_64.h (x86-64) and asm-generic/unistd.h (aarch64); None: the
architecture has no such system call. The module only holds these tables; `seccomp` builds a program from
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HIGHEST = 469
"""The number of file_setattr (Linux 6.17), the newest known system call; from 403 on, all architectures
use the same numbers. The filter answers a higher number as if the kernel did not have that system call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What a filter of system calls needs to know about a processor."""

    audit: int
    """AUDIT_ARCH_* of linux/audit.h, which the kernel passes to the filter with each call."""
    numbers: Mapping[str, int]

    def of(self, *names: str) -> tuple[int, ...]:
        """The numbers of the named system calls, without those that this architecture does not have."""
        return tuple(self.numbers[name] for name in names if name in self.numbers)


NAMESPACES_AND_MOUNTS = (
    *("unshare", "setns", "chroot", "pivot_root", "mount", "umount2", "swapon", "swapoff", "acct"),
    *("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    *("open_tree_attr", "quotactl", "quotactl_fd", "name_to_handle_at", "open_by_handle_at"),
)
METADATA = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
    *("setxattrat", "removexattrat", "file_setattr", "utime", "utimes", "futimesat", "utimensat"),
    *("mknod", "mknodat"),
)
"""Changes of owners, modes and times of files: Landlock controls only the contents of files."""

OTHER_PROCESSES = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease"),
    *("kcmp", "pidfd_getfd", "migrate_pages", "move_pages", "setpriority", "ioprio_set"),
    *("sched_setscheduler", "sched_setparam", "sched_setattr"),
)
SHARED_MEMORY_AND_QUEUES = (
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl"),
    *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink"),
)
"""Shared memory and queues of System V and POSIX: they have no path, so Landlock does not control them."""

KERNEL = (
    *("add_key", "request_key", "keyctl", "userfaultfd", "bpf", "perf_event_open", "personality"),
    *("fanotify_init", "fanotify_mark", "inotify_init", "inotify_init1", "inotify_add_watch", "io_setup"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog"),
    *("iopl", "ioperm", "modify_ldt", "uselib", "vhangup", "lookup_dcookie", "nfsservctl"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
)
"""Interfaces of the kernel that the connector does not use, and that attacks on the kernel often use."""

NEVER = (
    *NAMESPACES_AND_MOUNTS,
    *METADATA,
    *OTHER_PROCESSES,
    *SHARED_MEMORY_AND_QUEUES,
    *KERNEL,
)

# Name: x86-64, aarch64.
_OLD: Mapping[str, tuple[int | None, int | None]] = {
    "ioctl": (16, 29),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "socket": (41, 198),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
    "clone": (56, 220),
    "execve": (59, 221),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "utime": (132, None),
    "mknod": (133, None),
    "uselib": (134, None),
    "personality": (135, 92),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "vhangup": (153, 58),
    "modify_ldt": (154, None),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "adjtimex": (159, 171),
    "chroot": (161, 51),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "nfsservctl": (180, 42),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "io_setup": (206, 0),
    "lookup_dcookie": (212, 18),
    "semtimedop": (220, 192),
    "clock_settime": (227, 112),
    "utimes": (235, None),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "ioprio_set": (251, 30),
    "inotify_init": (253, None),
    "inotify_add_watch": (254, 27),
    "migrate_pages": (256, 238),
    "mknodat": (259, 33),
    "fchownat": (260, 54),
    "futimesat": (261, None),
    "fchmodat": (268, 53),
    "unshare": (272, 97),
    "move_pages": (279, 239),
    "utimensat": (280, 88),
    "inotify_init1": (294, 26),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "prlimit64": (302, 261),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "clock_adjtime": (305, 266),
    "sendmmsg": (307, 269),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "sched_setattr": (314, 274),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "userfaultfd": (323, 282),
}

# From Linux 5.1 on, a new system call has the same number on every architecture.
_NEW: Mapping[str, int] = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "clone3": 435,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "process_mrelease": 448,
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
}


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(
        audit=0xC000_003E,
        numbers={name: x86_64 for name, (x86_64, _) in _OLD.items() if x86_64 is not None} | dict(_NEW),
    ),
    "aarch64": Architecture(
        audit=0xC000_00B7,
        numbers={name: aarch64 for name, (_, aarch64) in _OLD.items() if aarch64 is not None} | dict(_NEW),
    ),
}
"""The architectures by the machine name that uname returns. Both are little-endian with 64 bits."""
