"""The kinds of value that fields of the document hold: each parses, writes itself back, and knows its CRD schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from agent.policy import expressions, quantities
from agent.policy.quantities import format_duration, parse_duration

LABEL_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
RESERVED: Final = "x-reserved"  # accepted and validated, not acted on by this version
FILES_ONLY: Final = "x-files-only"  # left out of the CRD


@dataclass(frozen=True, slots=True)
class Mark:
    """A word about a field that outlives into its JSON schema: `RESERVED` or `FILES_ONLY`."""

    word: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Put the word beside the field's own schema."""
        return {**handler(core), self.word: True}


@dataclass(frozen=True, slots=True)
class Written:
    """Text of a certain form. The pattern serves Python and RE2."""

    pattern: str
    rule: str  # what must be
    longest: int  # characters

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after pydantic found it to be text."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say the same to the API server."""
        return {**handler(core), "minLength": 1, "maxLength": self.longest, "pattern": self.pattern}

    def checked(self, text: str) -> str:
        """Return the text.

        Raises:
            ValueError: it has not this form.
        """
        if len(text) > self.longest:
            raise ValueError(f"must have at most {self.longest} characters")
        if re.search(self.pattern, text) is None or text.endswith("\n"):
            raise ValueError(f"must be {self.rule}")
        return text


@dataclass(frozen=True, slots=True)
class OneOf:
    """Text out of a list that grows from version to version; a closed choice is an enum."""

    choices: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after pydantic found it to be text."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say the same to the API server."""
        return {**handler(core), "enum": list(self.choices)}

    def checked(self, text: str) -> str:
        """Return the text; anything else fails with pydantic's own error for enums, so that both read alike."""
        if text not in self.choices:
            expected = " or ".join(repr(choice) for choice in self.choices)
            raise PydanticCustomError("enum", "must be one of {expected}", {"expected": expected})
        return text


@dataclass(frozen=True, slots=True)
class Lasting:
    """Inclusive bounds of a duration, as people write them."""

    least: str
    most: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after the duration was parsed."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say the same to the API server."""
        value = expressions.milliseconds("self")
        least, most = (parse_duration(bound) // timedelta(milliseconds=1) for bound in (self.least, self.most))
        rule = f"{value} >= {least} && {value} <= {most}"
        return {**handler(core), "x-kubernetes-validations": [{"rule": rule, "message": self.claim}]}

    @property
    def claim(self) -> str:
        """What must be."""
        return f"must be between {self.least} and {self.most}"

    def checked(self, duration: timedelta) -> timedelta:
        """Return the duration.

        Raises:
            ValueError: it is out of bounds.
        """
        if not parse_duration(self.least) <= duration <= parse_duration(self.most):
            raise ValueError(self.claim)
        return duration


@dataclass(frozen=True, slots=True)
class ShareBelow:
    """Bounds of a share: below a number of percent, and above 0 or from 0 on."""

    percent: int
    is_zero_allowed: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after the share was parsed."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say the same to the API server."""
        number = expressions.share("self")
        rule = f"{number} {'>=' if self.is_zero_allowed else '>'} 0.0 && {number} < {self.percent}.0"
        return {**handler(core), "x-kubernetes-validations": [{"rule": rule, "message": self.claim}]}

    @property
    def claim(self) -> str:
        """What must be."""
        return f"must be {'at least' if self.is_zero_allowed else 'above'} 0% and below {self.percent}%"

    def checked(self, share: float) -> float:
        """Return the share.

        Raises:
            ValueError: it is out of bounds.
        """
        if share >= self.percent / 100 or share < 0 or (share == 0 and not self.is_zero_allowed):
            raise ValueError(self.claim)
        return share


def _parse_instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or len(str(value)) < len("2026-01-31T00:00Z"):
        raise ValueError("must be an instant with its time zone, such as 2026-01-31T18:00:00Z")
    return instant.astimezone(UTC)


def _format_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _above_zero(quantity: float) -> float:
    if quantity <= 0:
        raise ValueError("must be above 0")
    return quantity


def _text_schema(pattern: str, length: int, **more: object) -> JsonSchemaValue:
    return {"type": "string", "minLength": 1, "maxLength": length, "pattern": pattern, **more}


def _quantity_schema(pattern: str, rule: str, message: str) -> JsonSchemaValue:
    return {
        "x-kubernetes-int-or-string": True,
        "maxLength": quantities.QUANTITY_LENGTH,
        "pattern": pattern,
        "x-kubernetes-validations": [{"rule": f"type(self) == string || {rule}", "message": message}],
    }


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_text_schema(quantities.DURATION_PATTERN, quantities.DURATION_LENGTH)),
]
Share = Annotated[
    float,
    BeforeValidator(quantities.parse_share),
    PlainSerializer(quantities.format_share, return_type=str),
    WithJsonSchema(_text_schema(quantities.SHARE_PATTERN, quantities.SHARE_LENGTH)),
]
Quantity = Annotated[
    float,
    BeforeValidator(quantities.parse_quantity),
    PlainSerializer(quantities.format_quantity, return_type=int | str),
    WithJsonSchema(_quantity_schema(quantities.QUANTITY_PATTERN, "int(self) >= 0", "must not be below 0")),
]
PositiveQuantity = Annotated[
    float,
    BeforeValidator(quantities.parse_quantity),
    AfterValidator(_above_zero),
    PlainSerializer(quantities.format_quantity, return_type=int | str),
    WithJsonSchema(_quantity_schema(quantities.POSITIVE_PATTERN, "int(self) > 0", "must be above 0")),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_parse_instant),
    PlainSerializer(_format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40}),
]
Count = Annotated[int, Strict()]
Label = Annotated[str, Written(LABEL_PATTERN, "a DNS label: lower case letters, digits and inner dashes", 63)]
Subdomain = Annotated[
    str, Written(SUBDOMAIN_PATTERN, "a DNS name: lower case letters, digits, inner dashes and dots", 253)
]
Text = Annotated[str, Written(r"\S", "text that is not blank", 1024)]
Word = Annotated[str, Written(r"\S", "text that is not blank", 253)]
Query = Annotated[str, Written(r"\S", "a query that is not blank", 16384)]
