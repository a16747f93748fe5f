"""Debian's headless Chromium, driven over chromedriver's own HTTP interface."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.util import Retry

BROWSER = shutil.which("chromium") or ""
DRIVER = shutil.which("chromedriver") or ""
AXE = Path(
    os.environ.get("AXE_CORE") or Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
)
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)


def need(path: str | Path, how: str) -> None:
    """Skip the test with the command that installs what is missing; in CI, fail."""
    if path and Path(path).exists():
        return
    reason = f"not installed here: {how}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Page:
    """One browser tab."""

    def __init__(self, base: str, session: str, http: requests.Session) -> None:
        self._base = f"{base}/session/{session}"
        self._http = http

    def _ask(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = self._http.post(f"{self._base}/{path}", json=body, timeout=330)
        value = answer.json()["value"]
        assert answer.ok, value
        return value

    def cdp(self, command: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self._ask("goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, page: Path, *, fragment: str = "") -> None:
        """Load a file and wait until it is there."""
        self._ask("url", {"url": page.resolve().as_uri() + fragment})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a script's `return` hands back."""
        return self._ask("execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, *arguments: Any) -> Any:
        """The value with which an asynchronous script calls its last argument."""
        return self._ask("execute/async", {"script": script, "args": list(arguments)})

    def look(self, *, scheme: str = "light", medium: str = "", width: int = 1280) -> None:
        """Emulate a colour scheme, a medium and a width in CSS pixels."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.cdp("Emulation.setEmulatedMedia", media=medium, features=features)
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def scripts(self, *, on: bool) -> None:
        """Switch the page's own scripts on or off, from the next load on."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def picture(self, to: Path, *, whole: bool = False) -> None:
        """A PNG of the first screen, or of the whole page."""
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole, **_clip(self, whole))
        to.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, to: Path) -> None:
        """The page as it prints."""
        made = self.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        to.write_bytes(base64.b64decode(made["data"]))

    def violations(self, *, without: tuple[str, ...] = ()) -> list[str]:
        """What axe-core finds against WCAG 2.2 A and AA: `rule: first places`.

        `without`: rules that are not asked about.
        """
        rules = json.dumps({rule: {"enabled": False} for rule in without})
        self.cdp("Runtime.evaluate", expression=AXE.read_text(encoding="utf-8"))
        found = self.wait(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa',"
            f"'best-practice'], resultTypes: ['violations'], rules: {rules}}})"
            ".then(r => done(r.violations.map(v => [v.id, v.nodes.length,"
            " v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])),"
            " e => done([['error', 0, [`${e}`]]]))"
        )
        return [f"{rule} on {number}: {places}" for rule, number, places in found]


def _clip(page: Page, whole: bool) -> dict[str, Any]:
    if not whole:
        return {}
    size = page.cdp("Page.getLayoutMetrics")["cssContentSize"]
    height = min(size["height"], 16_000)
    return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with an empty profile in `folder`; ended afterwards."""
    port = _free_port()
    http = requests.Session()
    http.trust_env = False
    retries = Retry(total=12, connect=12, backoff_factor=0.05, status_forcelist=())
    http.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
    base = f"http://127.0.0.1:{port}"
    driver = subprocess.Popen(
        [DRIVER, f"--port={port}", "--log-level=OFF"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        options = {"binary": BROWSER, "args": [*_FLAGS, f"--user-data-dir={folder / 'profile'}"]}
        # axe-core looks at ten thousand rows for half a minute, on a busy machine for longer.
        patience = {"script": 300_000, "pageLoad": 120_000}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "timeouts": patience}
        body = {"capabilities": {"alwaysMatch": wanted}}
        answer = http.post(f"{base}/session", json=body, timeout=60).json()["value"]
        assert "sessionId" in answer, answer
        page = Page(base, answer["sessionId"], http)
        yield page
        http.delete(f"{base}/session/{answer['sessionId']}", timeout=30)
    finally:
        http.close()
        driver.terminate()
        driver.wait(timeout=30)
