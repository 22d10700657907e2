"""What holds for every test."""

from hypothesis import settings

# Hypothesis times each example by the wall; on a machine that does other work too, that fails tests that are right.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
