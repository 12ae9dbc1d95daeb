"""A person at a browser: reads pages by headings and labels, answers like a person does."""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    Response,
)
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that somebody uploads."""

    name: str
    content: bytes
    media_type: str = "application/pdf"

    @property
    def payload(self) -> FilePayload:
        """As the browser's file chooser gives it."""
        return {"name": self.name, "mimeType": self.media_type, "buffer": self.content}


Answer = str | bool | list[str] | Attached
Answers = dict[str, Answer]
"""What somebody answers, by the label that it is asked under; a list ticks several boxes."""

SEND = re.compile("^Send and ")
MOST_STOPS = 300
FOCUSED = """() => {
  const words = (each) => each ? each.innerText.trim().replace(/\\s+/g, " ") : "";
  const here = document.activeElement;
  const own = here.labels?.length ? words(here.labels[0]) : words(here);
  const group = ["radio", "checkbox"].includes(here.type) ? here.closest("fieldset") : null;
  const label = group ? words(group.querySelector("legend")) : own;
  return {type: here.type ?? "", own, label};
}"""
BASICS = """() => {
  const controls = document.querySelectorAll("input:not([type=hidden]), select, textarea");
  const nameless = [...controls].filter((each) => !each.labels.length).map((each) => each.name);
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  return {
    language: document.documentElement.lang,
    title: document.title.trim(),
    headings: document.querySelectorAll("main h1").length,
    nameless,
    doubled: ids.filter((each, at) => ids.indexOf(each) !== at),
    tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth + 1,
  };
}"""


class Hands(Protocol):
    """How somebody works a page."""

    async def press(self, target: Locator) -> None:
        """Presses a button or follows a link."""

    async def answer(self, page: Page, answers: Answers) -> None:
        """Fills in what is asked."""

    async def type_code(self, page: Page, digits: str) -> None:
        """Fills in the code."""


def place_of(page: Page, title: str) -> Locator:
    """The place for files under this title."""
    return page.get_by_role("region", name=title, exact=True)


async def attach(page: Page, title: str, file: Attached) -> None:
    """Chooses a file and waits until it is there, with the page's script or without."""
    place = place_of(page, title)
    await place.locator("input[type=file]").set_input_files(file.payload)
    if not await page.locator("#upload[data-live]").count():
        await place.get_by_role("button", name=f"Upload {title}").click()
    await place.locator(".file[data-state=ready]").filter(has_text=file.name).wait_for()


class Mouse:
    """Points and clicks."""

    async def press(self, target: Locator) -> None:
        """A click."""
        await target.click()

    async def answer(self, page: Page, answers: Answers) -> None:
        """By label, one after the other."""
        for label, answer in answers.items():
            await self._answer(page, label, answer)

    async def _answer(self, page: Page, label: str, answer: Answer) -> None:
        if isinstance(answer, Attached):
            await attach(page, label, answer)
        elif isinstance(answer, bool):
            await page.get_by_role("checkbox", name=label, exact=True).set_checked(answer)
        elif isinstance(answer, list):
            group = page.get_by_role("group", name=label)
            for option in answer:
                await group.get_by_role("checkbox", name=option, exact=True).check()
        elif await page.get_by_role("radiogroup", name=label).count():
            group = page.get_by_role("radiogroup", name=label)
            await group.get_by_role("radio", name=answer, exact=True).check()
        else:
            await self._fill(page.get_by_label(label, exact=True), answer)

    async def _fill(self, control: Locator, answer: str) -> None:
        if await control.evaluate("each => each.tagName") == "SELECT":
            await control.select_option(label=answer)
        else:
            await control.fill(answer)

    async def type_code(self, page: Page, digits: str) -> None:
        """Into the only field."""
        await page.get_by_role("textbox").fill(digits)


class Thumb(Mouse):
    """Taps on a touch screen."""

    @override
    async def press(self, target: Locator) -> None:
        """A tap; what is tapped must be large enough (WCAG 2.5.8)."""
        box = await target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        await target.tap()


class Keyboard:
    """Knows Tab, Space, Enter, the arrows and letters, and nothing else (WCAG 2.1.1)."""

    async def press(self, target: Locator) -> None:
        """Tabs to it, then Enter."""
        for _ in range(MOST_STOPS):
            if await target.evaluate("each => each === document.activeElement"):
                await target.page.keyboard.press("Enter")
                return
            await target.page.keyboard.press("Tab")
        raise AssertionError(f"cannot be reached with Tab: {target}")

    async def answer(self, page: Page, answers: Answers) -> None:
        """Walks from stop to stop and answers where the label is one of those asked for."""
        left: dict[str, Any] = {}
        for label, answer in answers.items():
            if isinstance(answer, Attached):
                await self._attach(page, label, answer)
            else:
                left[label] = answer
        for _ in range(MOST_STOPS):
            if not left:
                return
            await page.keyboard.press("Tab")
            at = await page.evaluate(FOCUSED)
            if at["label"] in left and await self._answered(page, at, left[at["label"]]):
                del left[at["label"]]
        raise AssertionError(f"cannot be reached with Tab: {sorted(left)}")

    async def _attach(self, page: Page, title: str, file: Attached) -> None:
        """Opens the browser's own chooser from the place for files; what it shows is its affair."""
        place = place_of(page, title)
        async with page.expect_file_chooser() as opened:
            await self.press(place.locator("input[type=file]"))
        await (await opened.value).set_files(file.payload)
        await place.locator(".file[data-state=ready]").filter(has_text=file.name).wait_for()

    async def _answered(self, page: Page, at: dict[str, str], answer: Any) -> bool:
        """Answers at this stop; False while the question has further stops to come to."""
        match at["type"]:
            case "checkbox":
                return await self._tick(page, at["own"], answer)
            case "radio":
                await self._choose(page, answer)
            case "date":
                year, month, day = answer.split("-")
                await page.keyboard.type(f"{month}{day}{year}")
            case "text" | "email" | "tel":
                await page.keyboard.press("Control+a")
                await page.keyboard.type(answer)
            case _:
                await page.keyboard.type(answer)
        return True

    async def _tick(self, page: Page, own: str, answer: bool | list[str]) -> bool:
        if isinstance(answer, bool) or own in answer:
            await page.keyboard.press("Space")
        return isinstance(answer, bool) or own == answer[-1]

    async def _choose(self, page: Page, answer: str) -> None:
        await page.keyboard.press("Space")
        for _ in range(MOST_STOPS):
            if (await page.evaluate(FOCUSED))["own"] == answer:
                return
            await page.keyboard.press("ArrowDown")
        raise AssertionError(f"no option {answer!r}")

    async def type_code(self, page: Page, digits: str) -> None:
        """Where the page has put the cursor."""
        await page.keyboard.type(digits)


@dataclass(slots=True)
class Person:
    """Somebody with one page open."""

    page: Page
    hands: Hands = field(default_factory=Mouse)

    async def open(self, link: str) -> None:
        """Follows a link."""
        await self.page.goto(link)

    async def sees(self, heading: str | re.Pattern[str]) -> None:
        """Waits for a page with this heading, which must be made as pages should be."""
        await self.page.get_by_role("heading", level=1, name=heading).wait_for()
        await self.page.wait_for_load_state()
        basics = await self.page.evaluate(BASICS)
        assert basics.pop("language") == "en"
        assert basics.pop("title")
        assert basics == {"headings": 1, "nameless": [], "doubled": [], "tooWide": False}

    async def reads(self, words: str | re.Pattern[str]) -> None:
        """Waits for words on the page."""
        await self.page.get_by_text(words).first.wait_for()

    async def press(self, name: str | re.Pattern[str], role: Any = "button") -> None:
        """Presses the button, or follows the link, of this name."""
        await self.hands.press(self.page.get_by_role(role, name=name))

    async def ask_for_code(self) -> None:
        """From the door to the page on which the code is typed."""
        await self.press("Email me a code")
        await self.sees("Enter your code")

    async def confirm(self, digits: str) -> None:
        """Types a code and sends it."""
        await self.hands.type_code(self.page, digits)
        await self.press("Confirm")

    async def come_in(self, link: str, digits: str, title: str = "Vendor intake") -> None:
        """The whole way from the link to the room, with a code that is known already."""
        await self.open(link)
        await self.ask_for_code()
        await self.confirm(digits)
        await self.sees(title)

    async def begin(self, title: str) -> None:
        """From the list of tasks to one of them."""
        await self.press(re.compile(f"^Open\\b.*{re.escape(title)}$"), "link")
        await self.sees(title)

    async def send(self, answers: Answers) -> None:
        """Answers the task that is open and sends it."""
        await self.hands.answer(self.page, answers)
        await self.press(SEND)

    @property
    def notice(self) -> Locator:
        """The notice that says over an open page that it is over."""
        return self.page.get_by_role("dialog")


@dataclass
class Browsers:
    """Browsers of different people. At the end nothing may have gone wrong in any of them."""

    chromium: Browser
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def context(self, **options: Any) -> BrowserContext:
        """A browser of its own: its own cookies, nothing of others."""
        made = await self.chromium.new_context(locale="en-US", **options)
        made.set_default_timeout(20_000)
        made.on("console", self._hear)
        made.on("weberror", lambda error: self.complaints.append(str(error.error)))
        made.on("response", self._look_at)
        self.contexts.append(made)
        return made

    async def person(self, hands: Hands | None = None, **options: Any) -> Person:
        """Somebody with a browser of their own."""
        return Person(await (await self.context(**options)).new_page(), hands or Mouse())

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal is a page with its status, which the console repeats; everything else counts.
        refused = message.text.startswith("Failed to load resource: the server responded")
        if message.type in {"error", "warning"} and not refused:
            self.complaints.append(message.text)

    def _look_at(self, response: Response) -> None:
        missing = response.status >= 400 and "/static/" in response.url
        if response.status >= 500 or missing:
            self.complaints.append(f"{response.status} {response.url}")
        if "content-security-policy" not in response.headers:
            self.complaints.append(f"no policy: {response.url}")

    async def close(self) -> None:
        """Closes every browser; fails if any complained."""
        for each in self.contexts:
            await each.close()
        assert self.complaints == []
