"""How large a program's body may be: the setting, or more where a whole document comes in it.

A PDF comes as base64 in JSON, so that one request is one agreement, can be sent again under its
Idempotency-Key, and needs no half-made upload to be cleaned away. Base64 makes it a third larger.
Only its two routes take that much, and they read nothing of a body before they know the caller.
"""

import re

from commands.agreement_source import MOST_BYTES

BASE64_OF_PDF = -(-MOST_BYTES // 3) * 4
WITH_PDF = (
    ("POST", re.compile(r"/api/v1/agreements")),
    ("PATCH", re.compile(r"/api/v1/agreements/[^/]+")),
)


def most_bytes(method: str, path: str, most: int) -> int:
    """The most bytes of a body, where `most` is what the setting allows."""
    takes_pdf = any(method == verb and where.fullmatch(path) for verb, where in WITH_PDF)
    return most + BASE64_OF_PDF if takes_pdf else most
