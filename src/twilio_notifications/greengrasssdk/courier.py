"""Carries calls from a function's threads into the event loop that has the connection.

V1's calls block, in any number of threads. The connection lives in a thread of its own, which begins with the
first call and ends with the process. A forked process opens a connection of its own: two processes that write
into one connection would break it for both.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.adapters import log
from twilio_notifications.greengrasssdk.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

CHATTY = ("awsiot",)
"""Loggers that write whole packets, and so message texts, which do not belong in the function's log."""

GOODBYE_SECONDS = 5.0
"""How long closing the connection may delay the end of the process."""


class Courier:
    """Carries calls into the event loop, and their results or errors back to the caller's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outside = Outside(os.environ)
        self._loop: asyncio.AbstractEventLoop | None = None

    def carry(self, ask: Callable[[Outside], Coroutine[Any, Any, T]]) -> T:
        """The result of `ask`, once it is there; raises what `ask` raises.

        Must not run in the event loop itself.
        """
        return asyncio.run_coroutine_threadsafe(ask(self._outside), self._running()).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                log.silence(CHATTY)
                self._loop = asyncio.new_event_loop()
                name = "twilio_notifications.greengrasssdk"
                # The thread is a daemon, because V1's interface has no call that ends the connection.
                thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
                thread.start()
                atexit.register(self._say_goodbye, self._loop, thread, os.getpid())
            return self._loop

    def _say_goodbye(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread, pid: int) -> None:
        """Closes the connection at the end of the process, when no caller waits for it any more."""
        if os.getpid() != pid:
            return  # a forked process inherits this call from its parent, but not the thread
        closing = asyncio.run_coroutine_threadsafe(self._outside.close(), loop)
        try:
            closing.result(GOODBYE_SECONDS)
        except TimeoutError:
            closing.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(frozen=True, slots=True)
class Couriers:
    """The couriers of this process and of the processes from which it was forked, by process id."""

    by_pid: dict[int, Courier] = field(default_factory=dict)

    def of(self, pid: int) -> Courier:
        """The courier of this process id, the same one for all threads."""
        return self.by_pid.get(pid) or self.by_pid.setdefault(pid, Courier())


COURIERS = Couriers()
"""The only state in a module of this package: V1's `client` takes no connection, so each call has to find the
one of its process."""


def courier() -> Courier:
    """The courier of this process."""
    return COURIERS.of(os.getpid())
