"""How a call of the HTTP API is described: its answers, its parameters, and the scopes that allow it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from gateway.settings.api_tokens import SCOPES, Scope

#: `read` allows every GET of /v1. The others allow what their callers do.
CORE: frozenset[Scope] = frozenset({"core"})
OPERATORS: frozenset[Scope] = frozenset({"operate"})
BOTH = CORE | OPERATORS
READ: frozenset[Scope] = frozenset({"read"})
ANYBODY: frozenset[Scope] = frozenset(SCOPES)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a status means. `type` is the type of its JSON, None for an answer without a body or of other types."""

    description: str
    type: Any = None
    media_types: tuple[str, ...] = ("application/json",)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query, or in a header."""

    name: str
    description: str
    kind: Literal["string", "integer"] = "string"
    is_required: bool = False
    place: Literal["query", "header"] = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `problems` are the statuses of problem details, and what each means here.

    `scopes` allow the call; None means that no token is needed.
    """

    method: str
    path: str
    id: str
    tag: str
    summary: str
    responses: Mapping[int, Answer]
    problems: Mapping[int, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    body_is_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    scopes: frozenset[Scope] | None = ANYBODY
