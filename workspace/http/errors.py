"""Middleware that explains errors: as a page to a person's browser, as problem details to scripts and programs."""

import html
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from workspace.text.language import is_said, say

from .language import choose_language
from .responses import Problem, error_response
from .templates import render

_STATIC = Path(__file__).parents[1] / "static"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Whether a response has begun, so that no other one can take its place.
BEGUN = web.RequestKey("begun", bool)

_log = logging.getLogger(__name__)


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a sentence for the user, in the user's language. The log has the rest."""
    choose_language(request)
    try:
        response = await handler(request)
    except web.HTTPError as exc:
        response = _problem_of(exc)
    except web.HTTPException:
        raise
    except web.RequestPayloadError:
        response = error_response(400, _text(400))
    except sqlite3.Error as exc:
        response = _unexpected(request, exc, 503, say("error.no_storage"))
    except Exception as exc:  # noqa: BLE001  # a person gets a sentence, the log the traceback
        response = _unexpected(request, exc, 500, _text(500))
    # aiohttp notices a missing static file only while it sends the answer, and then sends an empty one.
    if isinstance(response, web.FileResponse) and not _exists(request):
        response = error_response(404, _text(404))
    if isinstance(response, Problem) and _is_for_person(request):
        return _page(request, response)
    return response


def _problem_of(exc: web.HTTPError) -> Problem:
    # Some of our own errors name their sentence.
    text = say(exc.reason) if is_said(exc.reason) else _text(exc.status) or exc.reason
    response = error_response(exc.status, text)
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
    title = f"error.title.{problem.status}"
    text = render(
        "error",
        home=html.escape(home),
        title=html.escape(say(title if is_said(title) else "error.title.500")),
        text=html.escape(problem.sentence),
        link=html.escape(f"{home}sign-in" if signs_in else home),
        link_text=html.escape(say("sign_in" if signs_in else "error.back")),
    )
    headers = {
        name: problem.headers[name] for name in ("Allow", "Retry-After") if name in problem.headers
    }
    return web.Response(text=text, content_type="text/html", status=problem.status, headers=headers)


def _text(status: int) -> str:
    """Return what to tell the user about a status; empty if there is nothing of our own."""
    key = f"error.text.{status}"
    return say(key) if is_said(key) else ""
