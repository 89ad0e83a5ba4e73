"""Schemas of all events, as JSON Schema and as a strict check (contract, section 3).

Unknown keys are refused, except in content that is passed on as the platform sent it (`raw`, `details`, `referral`,
`contacts`, `location`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from .event_types import AnyEvent, EventType

#: The types of events, in the order of the contract.
TYPES: tuple[str, ...] = get_args(EventType)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of all events; `$defs` contains the schema of each type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:airlock-messaging:schemas:events",
        "title": "Events of an Airlock gateway",
        **_adapter().json_schema(schema_generator=PlainSchemas),
    }


def validate(event: Mapping[str, Any] | bytes) -> None:
    """Raise pydantic's ValidationError unless an event is exactly as the contract describes it."""
    _adapter().validate_json(event if isinstance(event, bytes) else orjson.dumps(event))


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(AnyEvent, config=ConfigDict(extra="forbid", strict=True))


class PlainSchemas(GenerateJsonSchema):
    """Makes schemas that the strict mode of validators accepts, without titles that repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False

    def tagged_union_schema(self, schema: Any) -> Any:
        # `discriminator` is OpenAPI's; the constants in the branches say the same.
        made = super().tagged_union_schema(schema)
        made.pop("discriminator", None)
        return made


__all__ = ["TYPES", "PlainSchemas", "schema", "validate"]
