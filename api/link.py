"""The link's token in whatever became of it on its way from the mail (SX-13)."""

import html

from adapters.keyring import LINK_BYTES, read_link_token

LINK_CHARACTERS = LINK_BYTES * 8 // 5
LONGEST_READ = 2000
"""Characters: a token with every letter escaped has 320. An escape of thousands is no letter."""


def link_in(path: str) -> str:
    """The token in what a mail program, a copy or a scanner made of it; may be none at all.

    HTML escapes are read, everything but the token's alphabet is dropped, and what follows the
    token (a tracking parameter, a sentence) is cut off.
    """
    return read_link_token(html.unescape(path[:LONGEST_READ]))[:LINK_CHARACTERS]
