"""Middleware that explains errors: as a page to a person's browser, as problem details to scripts and programs."""

import html
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from string import Template

from aiohttp import web

from .responses import Problem, error_response

_PACKAGE = Path(__file__).parents[1]
_STATIC = _PACKAGE / "static"
_PAGE = Template((_PACKAGE / "templates" / "error.html").read_text("utf-8"))

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Whether a response has begun, so that no other one can take its place.
BEGUN = web.RequestKey("begun", bool)

_log = logging.getLogger(__name__)


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a sentence for the user. The log has the rest."""
    try:
        response = await handler(request)
    except web.HTTPError as exc:
        response = _problem_of(exc)
    except web.HTTPException:
        raise
    except web.RequestPayloadError:
        response = error_response(400, _TEXTS[400])
    except sqlite3.Error as exc:
        response = _unexpected(request, exc, 503, _NO_STORAGE)
    except Exception as exc:  # noqa: BLE001  # a person gets a sentence, the log the traceback
        response = _unexpected(request, exc, 500, _TEXTS[500])
    # aiohttp notices a missing static file only while it sends the answer, and then sends an empty one.
    if isinstance(response, web.FileResponse) and not _exists(request):
        response = error_response(404, _TEXTS[404])
    if isinstance(response, Problem) and _is_for_person(request):
        return _page(request, response)
    return response


def _problem_of(exc: web.HTTPError) -> Problem:
    text = _TEXTS_BY_REASON.get((exc.status, exc.reason)) or _TEXTS.get(exc.status)
    response = error_response(exc.status, text or exc.reason)
    if "Allow" in exc.headers:
        response.headers["Allow"] = exc.headers["Allow"]
    return response


def _unexpected(request: web.Request, exc: Exception, status: int, text: str) -> Problem:
    if request.get(BEGUN) or isinstance(exc, ConnectionError):
        raise exc
    _log.error("request_failed: %s %s", request.method, request.rel_url.path, exc_info=exc)
    return error_response(status, text)


def _exists(request: web.Request) -> bool:
    name = request.match_info.get("filename")
    return name is None or (_STATIC / name).is_file()


def _is_for_person(request: web.Request) -> bool:
    """Whether a browser wants to show the answer as a page. Our own scripts ask for JSON."""
    return "text/html" in request.headers.get("Accept", "")


def _page(request: web.Request, problem: Problem) -> web.Response:
    home = str(request.app.router["page"].url_for())
    signs_in = problem.status == 401
    text = _PAGE.substitute(
        home=html.escape(home),
        title=html.escape(_TITLES.get(problem.status, _TITLES[500])),
        text=html.escape(problem.sentence),
        link=html.escape(f"{home}sign-in" if signs_in else home),
        link_text="Sign in" if signs_in else "Back to the conversations",
    )
    headers = {
        name: problem.headers[name] for name in ("Allow", "Retry-After") if name in problem.headers
    }
    return web.Response(text=text, content_type="text/html", status=problem.status, headers=headers)


_TITLES: Mapping[int, str] = {
    400: "This request could not be read",
    401: "Please sign in",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This address is not a page",
    409: "This has changed",
    410: "This is gone",
    413: "This is too large",
    429: "Too many requests",
    500: "Something went wrong",
    502: "The gateway does not answer properly",
    503: "This is not available right now",
}

_TEXTS: Mapping[int, str] = {
    400: "The request could not be read. Please reload the page and try again.",
    401: "Please sign in.",
    403: "Only assigned agents can see this.",
    404: "This could not be found. It may have been erased.",
    405: "The pages use this address in another way. Please go back to the conversations.",
    409: "This has changed in the meantime. Please reload the page.",
    410: "This is no longer stored.",
    413: "This is too large.",
    429: "There were too many requests. Please wait a minute and try again.",
    500: "Something went wrong. Please try again. If it happens again, ask an operator to look into the log.",
    502: "The gateway's answer could not be used. Please try again later.",
    503: "The gateway cannot be reached right now. Please try again later.",
}

_NO_STORAGE = (
    "The workspace cannot read or write its data right now. Please try again, or ask an operator."
)

_TEXTS_BY_REASON: Mapping[tuple[int, str], str] = {
    (403, "Not allowed"): "Your account does not have permission to do this.",
    (
        403,
        "With another agent",
    ): "Another agent has this conversation. Only that agent and supervisors can read it.",
    (403, "Reload the page"): "This page is out of date. Please reload it.",
}
