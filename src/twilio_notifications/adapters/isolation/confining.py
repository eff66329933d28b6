"""Confines this process, step by step, or says why it cannot.

Everything here holds for the calling thread and for the threads it starts later, so it comes before any other
thread, and before any secret is read. A step that fails ends the program: half a confinement is none.
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
"""The version of the connector that knows IsolationMode; nothing else tells it from the earlier ones."""


def refusal(offer: Offer, *, connector_version: int) -> str:
    """Why a connector that is to be confined does not start without Landlock, and the two ways out."""
    upgrade = "" if connector_version == NEWEST_VERSION else f"[connector] version = {NEWEST_VERSION} and "
    return (
        "IsolationMode is GreengrassContainer, which needs Landlock, and this kernel does not offer it "
        f"({offer.reason}). Either start a kernel of Linux 5.13 or later that was built with "
        'CONFIG_SECURITY_LANDLOCK and has "landlock" in its boot parameter lsm=, or configure '
        f'{upgrade}IsolationMode = "NoContainer", and let systemd or a container do the confining '
        "(docs/how-to/isolation.md)"
    )


def confine(allowed: Confinement, offer: Offer) -> None:
    """Takes from this process all but what is allowed, for its whole life. Raises IsolationFailed."""
    _require_one_thread()
    try:
        _confine(allowed, offer)
    except OSError as error:
        raise IsolationFailed(
            f"the process cannot be confined: {error}. Something around it forbids what isolation needs, a "
            "filter of system calls perhaps: allow prctl, capset and landlock_*, or set IsolationMode = "
            '"NoContainer"'
        ) from error
    _require_writable(allowed)
    _require_program()


def _confine(allowed: Confinement, offer: Offer) -> None:
    # A filter of system calls may forbid it (systemd: ~@resources); `forbid_dumps` alone is enough.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kernel.forbid_new_privileges()
    kernel.restrict(ruleset(allowed, version=offer.version))
    _drop_capabilities()
    kernel.forbid_dumps()
    architecture = kernel.architecture()
    if not offer.no_filter and architecture is not None:
        # Last, because it forbids what the steps before it do.
        program = seccomp.program(ARCHITECTURES[architecture], unix_sockets=bool(allowed.sockets))
        kernel.filter_system_calls(program)


def _drop_capabilities() -> None:
    kernel.clear_ambient_capabilities()
    # Only who holds CAP_SETPCAP may do it. The bounds matter when a program is executed, which Landlock and
    # no_new_privs have forbidden already.
    with suppress(PermissionError):
        kernel.clear_capability_bounds()
    # Who holds none need not ask, and a filter of system calls may forbid to (systemd: ~@privileged).
    if kernel.holds_capabilities():
        kernel.clear_capabilities()


def _require_one_thread() -> None:
    """What runs already would stay free: Landlock, no_new_privs and capabilities belong to a thread."""
    threads = Path("/proc/self/task")
    count = sum(1 for _ in threads.iterdir()) if threads.is_dir() else 1
    if count > 1:
        raise IsolationFailed(
            f"the process cannot be confined: it has {count} threads already, and only new ones would be "
            "covered. Remove what starts threads when Python starts (sitecustomize, LD_PRELOAD), or set "
            'IsolationMode = "NoContainer"'
        )


def _require_writable(allowed: Confinement) -> None:
    """Without capabilities even root has only the rights of an owner, a member of the group, or anybody."""
    for folder in sorted(allowed.writable):
        if not _is_usable(folder):
            raise IsolationFailed(
                f"the folder {folder} is not writable for this user. A confined process has no privileges, "
                "not even root's, so the folder must belong to the user that runs the connector: chown it, "
                "or run as its owner"
            )


def _is_usable(folder: Path) -> bool:
    """True also for a folder that does not exist, which others say better."""
    try:
        return not folder.is_dir() or os.access(folder, os.W_OK | os.X_OK)
    except PermissionError:  # one of the folders above it may not be entered
        return False


def _require_program() -> None:
    """More of it is loaded later; root's privilege to read whatever it likes is gone by now."""
    for file in (Path(__file__), Path(os.__file__)):
        if not os.access(file, os.R_OK):
            raise IsolationFailed(
                f"the program's own file {file} is not readable for this user. A confined process has no "
                "privileges, not even root's: install the program where every user may read it (such as "
                "/opt/twilio-notifications), or run it as the owner of that folder"
            )
