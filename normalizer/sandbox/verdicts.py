"""Separates a decoder's statement about a file from a mistake of our own.

Only a statement about the file may be final. A mistake ends as `decoder_crashed`: the file may be fine, and a later
version may show it.
"""

import errno
from types import TracebackType
from typing import Any

#: The exceptions with which decoders report damage, and with which our readers do.
_STATEMENTS = (OSError, EOFError, SyntaxError)

#: Exceptions that are a statement if a library raises them, and a mistake if our own code does.
_OF_LIBRARIES = (ValueError, LookupError, OverflowError, RuntimeError)

#: Never a statement, although they are derived from those above.
_MISTAKES = (RecursionError, NotImplementedError)

_OUR_PACKAGE = __name__.partition(".")[0]


def verdict(exc: Exception, *, final: bool) -> dict[str, Any]:
    """Return the answer for an exception of a job. `final`: a sandbox without memory stays without."""
    if _is_out_of_memory(exc):
        # The next sandbox would not have more memory.
        detail = "out of memory: the file takes more than a sandbox has"
        return {"rejected": "corrupt", "detail": detail} if final else {"failed": "out of memory"}
    if _is_statement(exc):
        return {"rejected": "corrupt", "detail": f"the decoder raised {type(exc).__name__}"}
    place = f"{type(exc).__name__} at {_place(exc.__traceback__)}"
    return {"failed": f"the decoder has a mistake: {place}", "mistake": place}


def _is_out_of_memory(exc: Exception) -> bool:
    return isinstance(exc, MemoryError) or (isinstance(exc, OSError) and exc.errno == errno.ENOMEM)


def _is_statement(exc: Exception) -> bool:
    if type(exc).__module__ != "builtins":
        # Libraries and our readers define exceptions of their own for what is wrong with a file.
        return True
    if isinstance(exc, OSError) and exc.errno is not None:
        # A system call failed, perhaps at an isolation layer. Decoders give no number.
        return False
    if isinstance(exc, _MISTAKES):
        return False
    return isinstance(exc, _STATEMENTS) or (
        isinstance(exc, _OF_LIBRARIES) and not _is_ours(exc.__traceback__)
    )


def _is_ours(traceback: TracebackType | None) -> bool:
    """Whether the innermost function is ours."""
    innermost = _innermost(traceback)
    name = innermost.tb_frame.f_globals.get("__name__", "") if innermost else ""
    return str(name).partition(".")[0] == _OUR_PACKAGE


def _place(traceback: TracebackType | None) -> str:
    """Return the last lines of our own code and of the library, without anything of the file."""
    ours, innermost = None, _innermost(traceback)
    while traceback is not None:
        if str(traceback.tb_frame.f_globals.get("__name__", "")).startswith(_OUR_PACKAGE + "."):
            ours = traceback
        traceback = traceback.tb_next
    steps = [ours] if ours is innermost else [ours, innermost]
    return ", ".join(
        f"{each.tb_frame.f_code.co_filename.rpartition('/')[2]}:{each.tb_lineno}"
        for each in steps
        if each is not None
    )


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback
