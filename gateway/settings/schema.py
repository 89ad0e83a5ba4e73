"""The JSON Schema of connectors.yaml, for editors that complete and check the file."""

from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint
from typing import Any

from pydantic import BaseModel

from .connector_sections import SLUG
from .loading import SECTIONS
from .model import Settings
from .plugins import Unusable, connector_class, installed

Schema = dict[str, Any]

#: Any value may come from the environment or from a file, even where the schema requires a number or a URL.
_REFERENCE: Schema = {
    "type": "string",
    "pattern": r"\$\{([A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}",
    "description": "An environment variable or the text of a file",
}
_CONSTRAINTS = frozenset({"pattern", "format", "minLength", "maxLength"})
#: Formats that accept any text.
_UNCONSTRAINED = frozenset({"password", "path"})


def schema(entries: Sequence[EntryPoint] | None = None) -> Schema:
    """Return the schema of the whole file, with one branch for each installed connector `type`."""
    known = installed() if entries is None else tuple(entries)
    types = sorted({entry.name for entry in known})
    definitions: Schema = {}
    for name, model in SECTIONS.items():
        definitions |= _definitions(name, model)
        # A section whose keys are all commented out is null.
        definitions[name]["type"] = ["object", "null"]
    for type in types:
        definitions |= _connector(type, known)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:airlock-messaging:schemas:settings",
        "title": "connectors.yaml",
        "description": "The settings of an Airlock gateway. Any text may contain ${NAME}, an environment variable, "
        "or ${file:PATH}, the text of a file.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: _section(name, model) for name, model in SECTIONS.items()},
            "connectors": _connectors(types),
        },
        "$defs": definitions,
    }


def _section(name: str, model: type[BaseModel]) -> Schema:
    return {"description": _first_line(model), "$ref": _ref(name)}


def _connectors(types: list[str]) -> Schema:
    return {
        "description": Settings.model_fields["connectors"].description,
        "type": ["object", "null"],
        "propertyNames": {"pattern": f"^{SLUG}$"},
        "additionalProperties": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": types, "description": "The platform"}},
            **(_by_type(types) if types else {}),
        },
    }


def _by_type(types: list[str]) -> Schema:
    # Each branch has its own constant as `type`.
    return {"oneOf": [{"$ref": _ref(f"connectors.{type}")} for type in types]}


def _connector(type: str, entries: Sequence[EntryPoint]) -> Schema:
    name = f"connectors.{type}"
    try:
        found = connector_class(type, entries)
    except Unusable as exc:
        # The editor shows the error that the start would show, and still checks the rest of the file.
        return {name: {"description": exc.reason, "properties": {"type": {"const": type}}}}
    definitions = _definitions(name, found.Config)
    section = definitions[name]
    section["description"] = f"{found.label}, see {found.docs}"
    section["properties"] = {
        "type": {"const": type, "description": f"{found.label}: {type}"},
        **{key: value for key, value in section["properties"].items() if key != "type"},
    }
    section["required"] = ["type", *(key for key in section.get("required", []) if key != "type")]
    return definitions


def _definitions(name: str, model: type[BaseModel]) -> Schema:
    """Return the model's schema as `name` and its parts as `name.<part>`, so that plugins cannot collide."""
    found = model.model_json_schema(ref_template=_ref(f"{name}.{{model}}"))
    parts = {f"{name}.{part}": value for part, value in found.pop("$defs", {}).items()}
    definitions = {name: found, **parts}
    for definition in definitions.values():
        _allow_references(definition)
    return definitions


def _allow_references(definition: Schema) -> None:
    for part in _subschemas(definition):
        part.pop("title", None)
        if part.get("format") == "path":
            del part["format"]  # pydantic's own: validators do not know it
        properties = part.get("properties", {})
        for key, value in properties.items():
            properties[key] = _with_reference(value)
        if "items" in part:
            part["items"] = _with_reference(part["items"])


def _subschemas(definition: Any) -> Iterator[Schema]:
    match definition:
        case dict():
            for value in list(definition.values()):
                yield from _subschemas(value)
            if not isinstance(definition.get("title"), dict):
                yield definition
        case list():
            for value in definition:
                yield from _subschemas(value)


def _with_reference(value: Schema) -> Schema:
    if not _may_reject_references(value):
        return value
    outside: Schema = {
        key: value[key] for key in ("description", "default", "writeOnly") if key in value
    }
    inside = {key: part for key, part in value.items() if key not in outside}
    branches = inside["anyOf"] if set(inside) == {"anyOf"} else [inside]
    return {**outside, "anyOf": [*branches, _REFERENCE]}


def _may_reject_references(value: Schema) -> bool:
    """Whether the schema may reject the text `${NAME}`."""
    if "anyOf" in value:
        return all(_may_reject_references(branch) for branch in value["anyOf"])
    if value.get("format") in _UNCONSTRAINED:
        return False
    scalar = value.get("type") in {"integer", "number", "boolean", "null"} or "const" in value
    return (
        scalar
        or ("enum" in value)
        or (value.get("type") == "string" and bool(_CONSTRAINTS & set(value)))
    )


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _ref(name: str) -> str:
    return f"#/$defs/{name}"
