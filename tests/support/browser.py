"""A real browser for one test: Chromium without a window, driven by Selenium, and the rules of axe-core.

Mark tests that use it with `@pytest.mark.chromium`. Each call blocks a thread and never the event loop, so
that the servers of a test go on. Each wait for a page has a limit, and nothing waits for a fixed time.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, Any, Self

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.npm import installed
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

AXE = "4.10.2"
WIDE, NARROW = (1280, 900), (390, 844)

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # root, in a container, has no sandbox; the pages are our own
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-search-engine-choice-screen",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--lang=en-US",
)
_AXE_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(
  (found) => done(found.violations.map(
    (one) => one.id + ": " + one.nodes.map((node) => node.target + " " + node.failureSummary).join(" | ")
  )),
  (error) => done([String(error)]),
);
"""


class Browser:
    """`async with Browser(folder) as browser:` is a browser with a profile of its own."""

    def __init__(self, folder: Path, *, dark: bool = False, size: tuple[int, int] = WIDE) -> None:
        self._folder = folder
        self._dark = dark
        self._size = size
        self._driver: webdriver.Chrome

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._driver.quit)

    def _start(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in (*_ARGUMENTS, f"--user-data-dir={self._folder / 'browser'}"):
            options.add_argument(argument)
        service = webdriver.ChromeService(
            shutil.which("chromedriver"), env={**os.environ, "HOME": str(self._folder), "TZ": "UTC"}
        )
        self._driver = webdriver.Chrome(options=options, service=service)
        self._driver.set_page_load_timeout(WAIT_SECONDS)
        self._driver.set_script_timeout(WAIT_SECONDS)
        self._look(dark=self._dark, size=self._size)

    def _look(self, *, dark: bool, size: tuple[int, int]) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    async def look(self, *, dark: bool = False, size: tuple[int, int] = WIDE) -> None:
        """Shows the page in the dark or in the light, and in this size."""
        await asyncio.to_thread(self._look, dark=dark, size=size)

    async def open(self, url: str) -> None:
        await asyncio.to_thread(self._driver.get, url)

    async def open_next_to_it(self, url: str) -> None:
        """Opens another page, and leaves those before it open."""

        def open_it() -> None:
            self._driver.switch_to.new_window("tab")
            self._driver.get(url)

        await asyncio.to_thread(open_it)

    @property
    def path(self) -> str:
        """The address of the page, without its host."""
        return "/" + self._driver.current_url.split("/", 3)[3]

    async def text(self) -> str:
        """What a person reads."""
        return await asyncio.to_thread(lambda: self._driver.find_element(By.TAG_NAME, "body").text)

    async def source(self) -> str:
        return await asyncio.to_thread(lambda: self._driver.page_source)

    async def script(self, code: str) -> Any:
        return await asyncio.to_thread(self._driver.execute_script, code)

    async def click(self, words: str) -> None:
        """Follows the link, or presses the button, with these words."""
        where = f"//a[normalize-space()='{words}'] | //button[normalize-space()='{words}']"
        await self._do(By.XPATH, where, lambda found: found.click())

    async def choose(self, label: str) -> None:
        """Ticks the radio button or the box with this label."""
        where = f"//label[normalize-space()='{label}']"
        await self._do(By.XPATH, where, lambda found: found.click())

    async def fill(self, selector: str, text: str) -> None:
        def type_in(found: WebElement) -> None:
            found.clear()
            found.send_keys(text)

        await self._do(By.CSS_SELECTOR, selector, type_in)

    async def press(self, *keys: str) -> None:
        """Presses keys where the focus is."""

        def press_all() -> None:
            for key in keys:
                self._driver.switch_to.active_element.send_keys(key)

        await asyncio.to_thread(press_all)

    async def sees(self, words: str) -> None:
        """Returns once the page shows these words, without being loaded again by the test."""
        await self._until(lambda: words in self._driver.find_element(By.TAG_NAME, "body").text, words)

    async def is_at(self, path: str) -> None:
        """Returns once the page has this path."""
        await self._until(lambda: self.path.partition("?")[0].partition("#")[0] == path, path)

    async def violations(self) -> list[str]:
        """What axe-core finds wrong with the page, a line for each rule."""
        axe = installed("axe-core", AXE) / "axe-core" / "axe.min.js"

        def run() -> list[str]:
            # By the debugger: the pages forbid scripts of others.
            self._driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe.read_text("utf-8")})
            found: list[str] = self._driver.execute_async_script(_AXE_RUN)
            return found

        return await asyncio.to_thread(run)

    async def complaints(self) -> list[str]:
        """What the browser's console says of errors, such as a breach of the Content-Security-Policy."""

        def severe() -> list[str]:
            lines = self._driver.get_log("browser")  # type: ignore[no-untyped-call]  # Selenium's own
            return [line["message"] for line in lines if line["level"] == "SEVERE"]

        return await asyncio.to_thread(severe)

    async def picture(self, file: Path, *, tallest: int = 1_400) -> None:
        """Writes what the page looks like, from its top to its end or to `tallest` pixels."""

        def shoot() -> None:
            width = self._driver.execute_script("return window.innerWidth")
            flat = {"width": width, "height": 100, "deviceScaleFactor": 1, "mobile": False}
            self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", flat)
            self._driver.execute_script("window.scrollTo(0, 0)")
            height = self._driver.execute_script("return document.documentElement.scrollHeight")
            metrics = {
                "width": width,
                "height": min(height, tallest),
                "deviceScaleFactor": 1,
                "mobile": False,
            }
            self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            self._driver.save_screenshot(str(file))

        await asyncio.to_thread(shoot)

    async def _do(self, by: str, where: str, act: Callable[[WebElement], None]) -> None:
        def found_and_done() -> bool:
            shown = [one for one in self._driver.find_elements(by, where) if one.is_displayed()]
            if not shown:
                return False
            act(shown[0])
            return True

        await self._until(found_and_done, where)

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        waiting = WebDriverWait(
            self._driver, WAIT_SECONDS, 0.05, ignored_exceptions=[StaleElementReferenceException]
        )
        try:
            await asyncio.to_thread(waiting.until, lambda _: holds())
        except TimeoutException:
            shown = await self.text()
            raise AssertionError(f"no {what!r} at {self.path}; it shows:\n{shown}") from None
