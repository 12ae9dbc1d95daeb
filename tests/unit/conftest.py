"""How Hypothesis looks for examples: the same ones each time, without a stopwatch."""

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")
