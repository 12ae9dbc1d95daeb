"""How Hypothesis looks for examples: the same ones each time, without a stopwatch.

`make fuzz` asks for other ones each time, and for thousands; one that failed is tried first again.
"""

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", deadline=None, max_examples=3000, print_blob=True)
settings.load_profile("house")
