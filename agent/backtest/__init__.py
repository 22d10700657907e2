"""What-if on a user's own past: the HPA they have, the best one in hindsight, Foretide, and a perfect forecast.

Everything but `reading` works on arrays and neither reads nor waits; the engine is reached through `decisions` alone.
"""
