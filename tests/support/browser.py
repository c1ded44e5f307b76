"""A headless Chromium, driven through a pipe (the DevTools protocol), without any driver package.

It sees pages as a desktop or a phone would, in the light or in the dark, with script or without.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

_FLAGS = (
    "--headless",
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--remote-debugging-pipe",
)


def program() -> str | None:
    """Return the browser there is."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """One tab."""

    def __init__(self, chat: "_Chat", session: str) -> None:
        self._chat = chat
        self._session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def look(self, *, width: int, height: int, dark: bool = False, script: bool = True) -> None:
        """Be a screen of that size; below 600 pixels a phone with two pixels for one."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self._ask("Emulation.setScriptExecutionDisabled", value=not script)

    def headers(self, **headers: str) -> None:
        """Send these with every request."""
        self._ask("Network.setExtraHTTPHeaders", headers=headers)

    def go(self, url: str) -> None:
        """Load a page and wait until it is there."""
        self._chat.events.clear()
        answer = self._ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise AssertionError(f"{url}: {answer['errorText']}")
        self._chat.wait_for("Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """Return the value of an expression of script, of a promise what it comes to."""
        answer = self._ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screenshot(self, path: Path, *, height: float | None = None, scale: float = 1) -> bytes:
        """Write the page as PNG, all of it or as far down as is said."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "scale": scale, "width": size["width"]}
        clip["height"] = size["height"] if height is None else height
        answer = self._ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        picture = base64.b64decode(answer["data"])
        path.write_bytes(picture)
        return picture

    def source(self) -> str:
        """Return the document as it is now: as script made it, or without."""
        root = self._ask("DOM.getDocument")["root"]["nodeId"]
        text: str = self._ask("DOM.getOuterHTML", nodeId=root)["outerHTML"]
        return text

    def complaints(self) -> list[str]:
        """Return what the browser itself had to say: errors of script, refused content."""
        self.value("1")
        found = [e["params"] for e in self._chat.events if e["method"] == "Log.entryAdded"]
        thrown = [e for e in self._chat.events if e["method"] == "Runtime.exceptionThrown"]
        return [entry["entry"]["text"] for entry in found] + [json.dumps(e) for e in thrown]

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        return self._chat.ask(method, params, self._session)


class _Chat:
    """Questions and answers, JSON with a zero byte after each."""

    def __init__(self, ask: int, hear: int) -> None:
        self._to = os.fdopen(ask, "wb", buffering=0)
        self._from = os.fdopen(hear, "rb")
        self._ids = itertools.count(1)
        self._read = b""
        self.events: list[dict[str, Any]] = []

    def ask(
        self, method: str, params: dict[str, Any], session: str | None = None
    ) -> dict[str, Any]:
        """Ask, and return the answer."""
        id_ = next(self._ids)
        message = {"id": id_, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == id_:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, method: str) -> None:
        """Wait for an event."""
        while not any(event["method"] == method for event in self.events):
            self.events.append(self._next())

    def close(self) -> None:
        """Let go of the pipes."""
        self._to.close()
        self._from.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            got = self._from.read1(1 << 16)
            if not got:
                raise AssertionError("the browser went away")
            self._read += got
        first, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@contextmanager
def browser() -> Iterator[Page]:
    """Run a browser with one empty tab."""
    found = program()
    assert found is not None, f"none of {', '.join(PROGRAMS)} is installed"
    hear_us, ask = os.pipe()
    hear, tell_us = os.pipe()

    def pipes() -> None:
        # First out of the way of 3 and 4, then there: that is where the browser looks.
        a, b = os.dup(hear_us), os.dup(tell_us)
        os.dup2(a, 3)
        os.dup2(b, 4)

    with tempfile.TemporaryDirectory(prefix="browser-") as profile:
        running = subprocess.Popen(
            [found, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=pipes,  # noqa: PLW1509 -- no thread of ours holds a lock here
        )
        os.close(hear_us)
        os.close(tell_us)
        chat = _Chat(ask, hear)
        try:
            target = chat.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
            attached = chat.ask("Target.attachToTarget", {"targetId": target, "flatten": True})
            yield Page(chat, attached["sessionId"])
            chat.ask("Browser.close", {})
            running.wait(10)
        finally:
            chat.close()
            if running.poll() is None:
                running.kill()
            running.wait()
