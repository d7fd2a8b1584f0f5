"""Debian's Chromium, the demonstration at the end of its stream, and an eye on all that a page does."""

import subprocess
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.support.availability import program


@pytest.fixture(scope="session")
def demo():
    """The address of the demonstration, left as it stands at its end."""
    command = [sys.executable, "-u", "-m", "detector", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stdout if "still serving" in line)
        yield line.split("still serving ")[1].split(";")[0]
        process.terminate()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Seen:
    """What a page complained of, and whom it asked."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    n_bytes: int = 0


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture
def open_page(chromium):
    """A function that opens an address; at the end no page may have complained, or asked anybody else."""
    contexts, seen, wanted = [], Seen(), set()

    def opened(url, *, width=1280, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
        page.seen = seen
        wanted.add(urlsplit(url).netloc)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    # That the server is away is what some tests are about.
    complaints = [text for text in seen.complaints if "ERR_CONNECTION" not in text and "404" not in text]
    assert complaints == []
    assert seen.hosts <= wanted
