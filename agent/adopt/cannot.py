"""Why there is no proposal."""

from __future__ import annotations


class CannotAdopt(Exception):
    """Something stands in the way; the message names object, field and value, and says what to do."""
