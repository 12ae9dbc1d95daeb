"""A browser as a person knows it, from what it says of itself: "Firefox", "Windows"."""

import re
from collections.abc import Sequence

UNKNOWN = ""
Known = Sequence[tuple[str, str]]
# The more particular ones first: nearly every browser calls itself Safari, too.
BROWSERS: Known = (
    (r"Edg(A|iOS)?/", "Microsoft Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chromium/", "Chromium"),
    (r"Chrome/|CriOS/", "Chrome"),
    (r"Version/.* Safari/", "Safari"),
)
SYSTEMS: Known = (
    (r"Windows", "Windows"),
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"CrOS", "ChromeOS"),
    (r"Mac OS X|Macintosh", "macOS"),
    (r"Linux|X11", "Linux"),
)


def browser_and_system(user_agent: str) -> tuple[str, str]:
    """The names of a browser and of what it runs on; "" for what it does not say."""
    return _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)


def _first(known: Known, text: str) -> str:
    return next((name for pattern, name in known if re.search(pattern, text)), UNKNOWN)
