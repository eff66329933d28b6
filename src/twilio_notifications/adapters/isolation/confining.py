"""Confines this process, step by step, or says why it cannot.

The steps hold for the calling thread and the threads that it starts later. So they come before any other
thread, and before the program reads any secret. If a step fails, the program ends: half a confinement
protects nothing.
"""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.adapters.isolation import kernel, seccomp
from twilio_notifications.adapters.isolation.landlock import ruleset
from twilio_notifications.adapters.isolation.system_calls import ARCHITECTURES
from twilio_notifications.core.errors import IsolationFailed

if TYPE_CHECKING:
    from twilio_notifications.adapters.isolation.confinement import Confinement
    from twilio_notifications.adapters.isolation.landlock import Offer

NEWEST_VERSION = 5
"""The version of the connector that has the parameter IsolationMode; nothing else is new in it."""


def refusal(offer: Offer, *, connector_version: int) -> str:
    """Why a connector that must be confined does not start without Landlock, and two ways to correct that."""
    upgrade = "" if connector_version == NEWEST_VERSION else f"[connector] version = {NEWEST_VERSION} and "
    return (
        "IsolationMode is GreengrassContainer, which needs Landlock, and this kernel does not offer it "
        f"({offer.reason}). Either start a kernel of Linux 5.13 or later that was built with "
        'CONFIG_SECURITY_LANDLOCK and has "landlock" in its boot parameter lsm=, or configure '
        f'{upgrade}IsolationMode = "NoContainer", and let systemd or a container do the confining '
        "(docs/how-to/isolation.md)"
    )


def confine(allowed: Confinement, offer: Offer) -> None:
    """Takes everything from this process except what is allowed, for its whole life.

    Raises IsolationFailed where that is not possible, or where the process could not work afterwards.
    """
    _require_one_thread()
    try:
        _confine(allowed, offer)
    except OSError as error:
        raise IsolationFailed(
            f"the process cannot be confined: {error}. A protection around it, such as a filter of system "
            "calls, forbids a system call that isolation needs: allow prctl, capset and landlock_*, or set "
            'IsolationMode = "NoContainer"'
        ) from error
    _require_writable(allowed)
    _require_program()


def _confine(allowed: Confinement, offer: Offer) -> None:
    # A filter of system calls may forbid setrlimit (systemd: ~@resources); `forbid_dumps` alone is enough.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kernel.forbid_new_privileges()
    kernel.restrict(ruleset(allowed, version=offer.version))
    _drop_capabilities()
    kernel.forbid_dumps()
    architecture = kernel.architecture()
    if not offer.no_filter and architecture is not None:
        # The filter comes last, because it forbids the system calls of the other steps.
        program = seccomp.program(ARCHITECTURES[architecture], unix_sockets=bool(allowed.sockets))
        kernel.filter_system_calls(program)


def _drop_capabilities() -> None:
    kernel.clear_ambient_capabilities()
    # Only a process with CAP_SETPCAP may do this. The bounds matter only when a program is executed, which
    # Landlock and no_new_privs forbid already.
    with suppress(PermissionError):
        kernel.clear_capability_bounds()
    # Without capabilities the call is needless, and a filter of system calls may forbid it (~@privileged).
    if kernel.holds_capabilities():
        kernel.clear_capabilities()


def _require_one_thread() -> None:
    """Other threads would stay free: Landlock, no_new_privs and capabilities hold for one thread."""
    threads = Path("/proc/self/task")
    count = sum(1 for _ in threads.iterdir()) if threads.is_dir() else 1
    if count > 1:
        raise IsolationFailed(
            f"the process cannot be confined: it already has {count} threads, and confinement covers only "
            "new ones. Remove the code that starts threads when Python starts (sitecustomize, LD_PRELOAD), "
            'or set IsolationMode = "NoContainer"'
        )


def _require_writable(allowed: Confinement) -> None:
    """Without capabilities, the permission bits of a folder bind even root."""
    for folder in sorted(allowed.writable):
        if not _is_usable(folder):
            raise IsolationFailed(
                f"the folder {folder} is not writable for this user. A confined process has no privileges, "
                "not even root's, so the folder must belong to the user that runs the connector: chown it, "
                "or run as its owner"
            )


def _is_usable(folder: Path) -> bool:
    """Whether the process can write into the folder.

    True also where none exists, which other checks report.
    """
    try:
        return not folder.is_dir() or os.access(folder, os.W_OK | os.X_OK)
    except PermissionError:  # one of the folders above it may not be entered
        return False


def _require_program() -> None:
    """Python loads more files of the program later, and root has lost its privilege to read every file."""
    for file in (Path(__file__), Path(os.__file__)):
        if not os.access(file, os.R_OK):
            raise IsolationFailed(
                f"the program's own file {file} is not readable for this user. A confined process has no "
                "privileges, not even root's: install the program where every user may read it (such as "
                "/opt/twilio-notifications), or run it as the owner of that folder"
            )
