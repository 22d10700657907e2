"""Names of time zones, as the IANA database has them."""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from agent.policy.fields import Written

UTC: Final = "UTC"
UNKNOWN_NAME: Final = "unknown_name"  # the pydantic error type of a name that is in none of many


def _known(name: str) -> str:
    """Return the name of a zone; the API server cannot look it up, so there only its form is checked."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # not there, a path, a folder of the database
        context = {"rule": "must be a time zone of the IANA database, such as Europe/Berlin"}
        raise PydanticCustomError(UNKNOWN_NAME, "{rule}", {**context, "known": sorted(available_timezones())}) from None
    return name


TimeZone = Annotated[
    str,
    Written(r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", "a time zone such as Europe/Berlin", 64),
    AfterValidator(_known),
]
