"""What the application report says of a page that was denied (EE-16, EE-21)."""

LONGEST_DENIAL = 80


def denial(page: str) -> str:
    """The text of a denial, cut where the report's column ends."""
    return f"Access Denied : {page}"[:LONGEST_DENIAL]
