"""A browser's work at the console, without a browser: pages that stay open and fetch themselves again.

Each page listens to the console's events; when one says that the journal has changed, the page is fetched
again, at most once in so many seconds, as console.js does. Run as a program, it says in one line when all
pages are open, works until SIGTERM, and then prints how long each fetch took, as JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import threading
import time
from urllib.parse import urlsplit

READY = "pages are open"
CHANGED = b"event: changed"
LEAST_PAUSE_SECONDS = 2.0
LIMIT_SECONDS = 60.0


class OpenPage:
    """One page in a tab of its own, with its own connection for events."""

    def __init__(self, address: str, path: str) -> None:
        self._address = address
        self._path = path
        self.seconds: list[float] = []
        """What each fetch took."""
        self._events = self._get("/live")

    def stay(self) -> None:
        """Fetches the page now and at each change, without end."""
        self._fetch()
        while line := self._events.readline():
            if line.startswith(CHANGED):
                self._fetch()
                time.sleep(LEAST_PAUSE_SECONDS)

    def _fetch(self) -> None:
        begun = time.monotonic()
        self._get(self._path).read()
        self.seconds.append(time.monotonic() - begun)

    def _get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._address, timeout=LIMIT_SECONDS)
        connection.request("GET", path, headers={"accept": "text/html"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise ConnectionError(f"the console answered {path} with {response.status}")
        return response


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps pages of the console open.")
    parser.add_argument("--console", required=True)
    parser.add_argument("--pages", nargs="+", required=True)
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pages = {path: OpenPage(urlsplit(options.console).netloc, path) for path in options.pages}
    for page in pages.values():
        threading.Thread(target=page.stay, daemon=True).start()
    print(READY, flush=True)
    signal.sigwait({signal.SIGTERM})
    print(json.dumps({path: page.seconds for path, page in pages.items()}), flush=True)


if __name__ == "__main__":
    main()
