"""A real browser."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, for the whole run.

    Its shell, where there is one, is the same engine without windows: somebody new at three pages
    takes a quarter of the time.
    """
    executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if executable is None:
        pytest.fail("chromium is not installed; `make test` installs it")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def browser_context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A person's browser: its own cookies, nothing of other tests."""
    context = await chromium.new_context()
    yield context
    await context.close()
