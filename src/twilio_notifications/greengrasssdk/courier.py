"""The way from a function's thread to the event loop in which its connection lives.

V1's calls block, in any number of threads; the connection wants one thread of its own, which begins with the
first call and ends with the process. A process that was forked makes a connection of its own: the connection
is its parent's, and two that write into one would break it for both.
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
"""The function has a log of its own, where whole packets, and so message texts, have no place."""

GOODBYE_SECONDS = 5.0
"""How long the end of the process may be held up."""


class Courier:
    """Carries calls into the event loop and their results, or errors, back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outside = Outside(os.environ)
        self._loop: asyncio.AbstractEventLoop | None = None

    def carry(self, ask: Callable[[Outside], Coroutine[Any, Any, T]]) -> T:
        """Waits for what is asked for; not to be called in the event loop itself."""
        return asyncio.run_coroutine_threadsafe(ask(self._outside), self._running()).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                log.silence(CHATTY)
                self._loop = asyncio.new_event_loop()
                name = "twilio_notifications.greengrasssdk"
                # A daemon: V1's interface has no call that ends it before the interpreter does.
                thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
                thread.start()
                atexit.register(self._say_goodbye, self._loop, thread, os.getpid())
            return self._loop

    def _say_goodbye(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread, pid: int) -> None:
        """Whatever is not acknowledged by now has a caller that waits no more."""
        if os.getpid() != pid:
            return  # a forked process has this from its parent, without the thread
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
    """Of this process, and of those that it was forked from."""

    by_pid: dict[int, Courier] = field(default_factory=dict)

    def of(self, pid: int) -> Courier:
        """Always the same one: of threads that come at the same time, one sets it for all."""
        return self.by_pid.get(pid) or self.by_pid.setdefault(pid, Courier())


COURIERS = Couriers()
"""State in a module, which nothing else here has: V1's `client` takes no connection and is called anywhere,
so each call must find the one there is."""


def courier() -> Courier:
    """The courier of this process."""
    return COURIERS.of(os.getpid())
