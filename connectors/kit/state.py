"""Tests that a connector keeps nothing: no cache, no module variable that changes, no default that is shared.

A gateway runs several connectors of one type, in several processes: what one keeps is wrong for another, or old.
"""

import ast
import base64
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import connectors
from connectors.contract import Connector
from connectors.recordings import RECEIVED_AT

from .purity import sources
from .subject import Subject, headers_at

_CACHES = frozenset(
    {"cache", "lru_cache", "cached_property", "cachedmethod", "cached", "alru_cache", "memoize"}
)
_MUTABLE = frozenset(
    {"dict", "list", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict"}
)
#: Methods that change what they are called on.
_CHANGING = frozenset(
    {
        *("append", "appendleft", "add", "clear", "discard", "extend", "insert", "pop", "popitem"),
        *("remove", "setdefault", "update"),
    }
)
_REMEDY = "keep no state: compute it where it is used, and give events stable ids"
_DAY = timedelta(days=1)


class StateChecks(Subject):
    """Tests that nothing is kept between calls."""

    def test_the_code_caches_nothing(self) -> None:
        for file in own_sources(type(self.connector)):
            for node in ast.walk(ast.parse(file.read_bytes())):
                name = _cache(node)
                assert name is None, (
                    f"{file.name}:{getattr(node, 'lineno', 0)} uses {name}; {_REMEDY} (a token or an address from a"
                    " cache is old, and a cache keeps secrets and customers' words)"
                )

    def test_no_default_is_shared_between_calls(self) -> None:
        for file in own_sources(type(self.connector)):
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    defaults = [*node.args.defaults, *node.args.kw_defaults]
                    assert not any(map(_is_mutable, defaults)), (
                        f"{file.name}:{node.lineno} has a default that all calls share; use None or a tuple"
                    )

    def test_nothing_outside_a_function_is_changed(self) -> None:
        for file in own_sources(type(self.connector)):
            tree = ast.parse(file.read_bytes())
            for line, name in _changes(tree):
                raise AssertionError(
                    f"{file.name}:{line} changes {name}, which all calls share; {_REMEDY}"
                )
        self._use_everything()
        for name, value in _filled(type(self.connector)):
            raise AssertionError(f"{name} was empty at first and is {value!r:.60} now; {_REMEDY}")

    def test_authorize_goes_by_the_time_it_is_given(self) -> None:
        """The gateway asks before every call: a token of yesterday has expired."""
        moments = (RECEIVED_AT, RECEIVED_AT + _DAY, RECEIVED_AT)
        first, later, again = (headers_at(self.connector, moment) for moment in moments)
        assert lasting(first) == lasting(again), (
            "authorize returns other headers for the same time; use only `now`, and keep no token"
        )
        ids = [[claims.get("jti") for claims in _tokens(one)] for one in (first, later)]
        assert not any(one is not None and one in ids[1] for one in ids[0]), (
            f"the tokens of two days have the same jti {ids[0][0]!r}, and a platform takes the second one for a replay;"
            " derive it from `now` too"
        )
        for now, headers in ((RECEIVED_AT, first), (RECEIVED_AT + _DAY, later)):
            for claims in _tokens(headers):
                assert _is_current(claims, now), (
                    f"the token for {now:%Y-%m-%d} is dated {_dated(claims)}; make it from `now`, and keep none"
                )

    def _use_everything(self) -> None:
        for recording in self.recorded[:5]:
            self.connector.verify(self.genuine(recording))
            self.parsed(recording)
        self.authorized()


def own_sources(connector: type[Connector[Any]]) -> list[Path]:
    """A connector's source files without the tools of the contract, which keep parsed keys for all connectors."""
    home = Path(connectors.__file__).parent
    tools = {home / "jwt.py", *(home / "tools").glob("*.py"), *(home / "contract").glob("*.py")}
    return [file for file in sources(connector) if file not in tools]


def _cache(node: ast.AST) -> str | None:
    """The name of the cache that a node imports or uses, None for any other node."""
    match node:
        case ast.ImportFrom(names=names):
            return next((one.name for one in names if one.name in _CACHES), None)
        case ast.Attribute(value=ast.Name(id="functools"), attr=name) if name in _CACHES:
            return name
    return None


def _is_mutable(node: ast.AST | None) -> bool:
    match node:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in _MUTABLE
    return False


def _changes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where functions change what modules and classes hold."""
    shared = set(_assigned(tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            owned = set(_assigned(node.body)) | _classes(tree)
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _in_function(method, shared, owned)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node in tree.body:
            yield from _in_function(node, shared, _classes(tree))


def _in_function(
    function: ast.FunctionDef | ast.AsyncFunctionDef, shared: set[str], owned: set[str]
) -> Iterator[tuple[int, str]]:
    local = _local(function)
    for node in ast.walk(function):
        holder = _changed(node)
        if isinstance(holder, ast.Name) and holder.id in shared - local:
            yield holder.lineno, holder.id
        elif isinstance(holder, ast.Attribute) and _is_shared(holder, owned, local):
            yield holder.lineno, ast.unparse(holder)
        for target in _targets(node):
            if isinstance(target, ast.Attribute) and _is_kept(target, function.name, owned - local):
                yield target.lineno, ast.unparse(target)


def _is_shared(holder: ast.Attribute, owned: set[str], local: set[str]) -> bool:
    """Whether an attribute belongs to a class, and so to all its instances."""
    match holder.value:
        case ast.Name(id="self" | "cls"):
            return holder.attr in owned
        case ast.Name(id=kind):
            return kind in owned - local
    return _is_class(holder.value)


def _is_kept(target: ast.Attribute, function: str, classes: set[str]) -> bool:
    """Whether an assignment to an attribute outlives the call."""
    match target.value:
        case ast.Name(id="self" | "cls"):
            return function != "__init__"
        case ast.Name(id=kind):
            return kind in classes
    return _is_class(target.value)


def _changed(node: ast.AST) -> Any:
    """What a node changes in place: the holder of an item, or the object of a changing method."""
    match node:
        case ast.Subscript(value=holder, ctx=ast.Store() | ast.Del()):
            return holder
        case ast.Call(func=ast.Attribute(value=holder, attr=name)) if name in _CHANGING:
            return holder
        case ast.Call(func=ast.Name(id="next"), args=[holder, *_]):
            return holder
    return None


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            return targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return [target]
    return []


def _is_class(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="type"), args=[_]):
            return True
        case ast.Attribute(attr="__class__"):
            return True
    return False


def _assigned(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        for target in _targets(node):
            if isinstance(target, ast.Name):
                yield target.id


def _classes(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def _local(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The names that a function assigns or receives."""
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    names = {one.arg for one in arguments}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _filled(connector: type[Connector[Any]]) -> Iterator[tuple[str, Any]]:
    """Variables of the connector's modules and classes that were written as empty and are not empty any more."""
    files = own_sources(connector)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is None or Path(file) not in files:
            continue
        for holder, names in _empty(module, Path(file)):
            for name in names:
                value = getattr(holder, name, None)
                if value:
                    yield name, value


def _empty(module: ModuleType, file: Path) -> Iterator[tuple[Any, list[str]]]:
    tree = ast.parse(file.read_bytes())
    yield module, list(_born_empty(tree.body))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield getattr(module, node.name, None), list(_born_empty(node.body))


def _born_empty(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                pass
            case _:
                continue
        match value:
            case ast.Dict(keys=[]) | ast.List(elts=[]) | ast.Call(args=[], keywords=[]):
                if _is_mutable(value):
                    yield name


def lasting(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without the signatures of tokens, some of which contain a random value."""
    return {
        name: " ".join(_unsigned(word) for word in value.split(" "))
        for name, value in headers.items()
    }


def _unsigned(word: str) -> str:
    return word.rpartition(".")[0] if _claims(word) is not None else word


def _tokens(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for value in headers.values():
        for word in value.split(" "):
            claims = _claims(word)
            if claims is not None:
                yield claims


def _claims(word: str) -> Mapping[str, Any] | None:
    """The claims of a JSON Web Token, None for anything else."""
    parts = word.split(".")
    if len(parts) != 3:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_current(claims: Mapping[str, Any], now: datetime) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    at, slack = now.timestamp(), _DAY.total_seconds() / 2
    is_issued = not isinstance(issued, int | float) or abs(issued - at) <= slack
    return is_issued and (not isinstance(expires, int | float) or expires > at)


def _dated(claims: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {claims[name]}" for name in ("iat", "exp") if name in claims)
