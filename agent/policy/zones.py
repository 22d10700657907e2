"""Names of time zones, as the IANA database has them."""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

from agent.policy.fields import Written
from agent.policy.part import unknown_name

UTC: Final = "UTC"


def _known(name: str) -> str:
    """Return the name of a zone; the API server cannot look it up, so there only its form is checked."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # not there, a path, a folder of the database
        rule = "must be a time zone of the IANA database, such as Europe/Berlin"
        raise unknown_name(sorted(available_timezones()), rule=rule) from None
    return name


TimeZone = Annotated[
    str,
    Written(r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", "a time zone such as Europe/Berlin", 64),
    AfterValidator(_known),
]
