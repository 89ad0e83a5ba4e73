"""Mutants of a Python file: copies with one small change, such as a mistake might make."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
#: Attributes and arguments that hold text for people.
_PROSE = frozenset({"label", "docs", "description", "detail"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to one file. `apply` changes the tree of that file in place."""

    file: Path
    line: int
    change: str
    tree: ast.Module
    apply: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}  {self.change}"


def mutants(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    tree = ast.parse(file.read_bytes())
    for line, change, apply in sorted(_changes(tree, ()), key=lambda found: found[0]):
        yield Mutant(file, line, change, tree, apply)


def _changes(
    node: ast.AST, outer: tuple[str, ...]
) -> Iterator[tuple[int, str, Callable[[], None]]]:
    """The line, the description and the effect of each change below a node. `outer` names the nodes around it."""
    within = (*outer, type(node).__name__)
    for name, value in ast.iter_fields(node):
        if _is_exempt(node, name):
            continue
        children = value if isinstance(value, list) else [value]
        for at, child in enumerate(children):
            if isinstance(child, ast.AST):
                for change, new in _replacements(child, node, name, within):
                    place = at if isinstance(value, list) else None
                    yield _line(child, node), change, _put(node, name, place, new)
                yield from _changes(child, within)


def _put(holder: ast.AST, name: str, at: int | None, new: ast.AST) -> Callable[[], None]:
    def apply() -> None:
        if at is None:
            setattr(holder, name, new)
        else:
            getattr(holder, name)[at] = new

    return apply


def _line(node: ast.AST, holder: ast.AST) -> int:
    line: int = getattr(node, "lineno", 0) or getattr(holder, "lineno", 0)
    return line


def _is_exempt(node: ast.AST, name: str) -> bool:
    """Whether a field is never mutated: annotations, decorators, type variables, and text for people."""
    match node:
        case ast.FunctionDef() | ast.ClassDef() if name in {"decorator_list", "returns"}:
            return True
        case ast.AnnAssign() | ast.arg() if name == "annotation":
            return True
        case ast.Assign(targets=[ast.Name(id=target)]):
            return target in _PROSE or target == "__all__"
        case ast.keyword(arg=argument):
            return argument in _PROSE
        case ast.Call(func=ast.Name(id="TypeVar")):
            return True
        case _:
            return False


def _replacements(
    node: ast.AST, holder: ast.AST, name: str, within: tuple[str, ...]
) -> Iterator[tuple[str, ast.AST]]:
    """The nodes that could replace a node, each with a description of the change."""
    if isinstance(node, ast.stmt):
        yield from _statements(node, within)
    elif isinstance(node, ast.expr):
        if name == "test" or (name == "ifs" and isinstance(holder, ast.comprehension)):
            yield f"negate the condition: {_text(node)}", ast.UnaryOp(ast.Not(), node)
        if isinstance(holder, ast.Raise):
            yield from _arguments(node)
        elif not isinstance(holder, ast.Expr):
            yield from _expressions(node, within)
    elif isinstance(node, ast.match_case) and node.guard is not None:
        bare = ast.match_case(node.pattern, None, node.body)
        yield f"drop the guard: {_text(node.guard)}", bare


def _statements(node: ast.stmt, within: tuple[str, ...]) -> Iterator[tuple[str, ast.AST]]:
    nothing = ast.copy_location(ast.Pass(), node)
    inside = "FunctionDef" in within
    match node:
        case ast.FunctionDef(name=function, body=[_, *_]):
            early = ast.copy_location(ast.Return(ast.Constant(None)), node)
            yield f"return early: {function}", _with(node, body=[early, *_yields(node)])
        case ast.Expr(value=ast.Constant()):
            return  # a docstring
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield f"return None: {_text(value)}", _with(node, value=ast.Constant(None))
        case ast.Expr() | ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break() if inside:
            yield f"drop the statement: {_text(node)}", nothing
        case ast.Assign() if inside and within[-1] in {"If", "For", "match_case"}:
            yield f"drop the statement: {_text(node)}", nothing
        case ast.Try(body=body):
            yield f"drop the handlers: {_text(node)}", ast.If(ast.Constant(1), body, [])
        case ast.Match(cases=cases):
            for at, case in enumerate(cases):
                left = [*cases[:at], *cases[at + 1 :]]
                kept = _with(node, cases=left) if left else nothing
                yield f"drop the case: {_text(case.pattern)}", kept


def _yields(function: ast.FunctionDef) -> list[ast.stmt]:
    """A statement that keeps a generator function a generator function."""
    is_generator = any(isinstance(node, ast.Yield) for node in ast.walk(function))
    return [ast.Expr(ast.Yield())] if is_generator else []


def _expressions(node: ast.expr, within: tuple[str, ...]) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Constant(value=value) if "Raise" not in within:
            yield from _constants(node, value, within)
        case ast.JoinedStr(values=parts) if "Raise" not in within:
            for at, part in enumerate(parts):
                if isinstance(part, ast.FormattedValue):
                    left = [*parts[:at], *parts[at + 1 :]]
                    yield f"drop from the text: {_text(part.value)}", _with(node, values=left)
        case ast.Subscript(value=value, slice=ast.Slice()):
            yield f"drop the slice: {_text(node)}", value
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.BinOp():
            yield from _operators(node)
        case _:
            yield from _collections(node)
            yield from _calls(node)
            yield from _arguments(node)


def _operators(node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                flipped = [*ops[:at], _FLIPPED[type(op)](), *ops[at + 1 :]]
                yield f"flip the comparison: {_text(node)}", _with(node, ops=flipped)
        case ast.BoolOp(op=op, values=values):
            other = ast.And() if isinstance(op, ast.Or) else ast.Or()
            yield f"swap and/or: {_text(node)}", _with(node, op=other)
            for at, value in enumerate(values):
                left = [*values[:at], *values[at + 1 :]]
                kept = left[0] if len(left) == 1 else _with(node, values=left)
                yield f"drop the operand: {_text(value)}", kept
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"drop the not: {_text(node)}", operand
        case ast.BinOp(op=op) if type(op) in _SWAPPED:
            yield f"swap the operator: {_text(node)}", _with(node, op=_SWAPPED[type(op)]())


def _constants(
    node: ast.Constant, value: Any, within: tuple[str, ...]
) -> Iterator[tuple[str, ast.AST]]:
    new: Any
    match value:
        case bool():
            new = not value
        case int() | float():
            new = value + 1
        case str() if " " not in value and within[-1] != "JoinedStr":
            new = f"{value}x"
        case bytes():
            new = value + b"x"
        case _:
            return  # None, …, and sentences
    yield f"change the constant: {value!r} to {new!r}", _with(node, value=new)


def _collections(node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Dict(keys=keys, values=values):
            for at, key in enumerate(keys):
                kept = [*keys[:at], *keys[at + 1 :]], [*values[:at], *values[at + 1 :]]
                what = _text(key) if key is not None else f"**{_text(values[at])}"
                yield f"drop the key: {what}", _with(node, keys=kept[0], values=kept[1])
        case ast.Set(elts=items) | ast.List(elts=items, ctx=ast.Load()):
            yield from _without_each(node, items)
        case ast.Tuple(elts=items, ctx=ast.Load()):
            yield from _without_each(node, items)


def _without_each(node: ast.expr, items: list[ast.expr]) -> Iterator[tuple[str, ast.AST]]:
    for at, item in enumerate(items):
        left = [*items[:at], *items[at + 1 :]]
        empty = ast.Call(ast.Name("set", ast.Load()), [], [])
        is_empty_set = isinstance(node, ast.Set) and not left
        yield f"drop the element: {_text(item)}", empty if is_empty_set else _with(node, elts=left)


def _calls(node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Call(func=ast.Attribute(value=value), args=[], keywords=[]):
            yield f"drop the call: {_text(node)}", value
        case ast.Call(func=ast.Name(), args=[argument], keywords=[]) if not isinstance(
            argument, ast.Starred
        ):
            yield f"drop the call: {_text(node)}", argument


def _arguments(node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    for at, keyword in enumerate(keywords):
        left = [*keywords[:at], *keywords[at + 1 :]]
        if keyword.arg not in _PROSE:
            yield f"drop the argument: {_text(keyword)}", _with(node, keywords=left)


def _with(node: Any, **changed: Any) -> Any:
    """A copy of a node with some of its fields changed."""
    fields = {name: getattr(node, name) for name in node._fields}
    return ast.copy_location(type(node)(**{**fields, **changed}), node)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:67]}…"
