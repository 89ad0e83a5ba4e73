"""All HTTP routes, and the conversion of errors into responses."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import orjson
from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.inbound.webhooks import Webhooks
from gateway.observability.request_ids import TRUSTED_PROXIES, logged_as, name_request
from gateway.problems import Problem, no_such_path
from gateway.settings.api_tokens import Scope

from .api import Api, Handler
from .consumer_links import ConsumerLinkApi
from .gauges import Refresh
from .health import Probe, readiness
from .media import MediaEndpoint, record_answer
from .openapi import document
from .operations import scopes_of
from .people import PeopleApi
from .server import is_unreadable, log_failure, name_server
from .tokens import ApiTokens


def application(
    webhooks: Webhooks,
    api: Api,
    people: PeopleApi,
    media: MediaEndpoint,
    consumer_links: ConsumerLinkApi,
    *,
    tokens: ApiTokens,
    probes: Mapping[str, Probe],
    refresh_gauges: Refresh,
    public_url: str,
    trusted_proxies: int,
    workspace: web.Application,
) -> web.Application:
    """Create the application with all routes; the pages of `workspace` are mounted at /workspace/."""
    app = web.Application()
    app[TRUSTED_PROXIES] = trusted_proxies
    app.on_response_prepare.extend([name_server, name_request, record_answer])
    deliveries = _Deliveries(webhooks)
    # One route per connector instead of one pattern for all: fixed paths are looked up in a table.
    for (method, path), handler in deliveries.current().items():
        app.router.add_route(method, path, handler)
    # Signed as a webhook is; the API's tokens are the core's.
    make_links = _with_problem_responses(consumer_links.make, 500)
    app.router.add_post("/v1/consumer-links", make_links)
    for route in (*api.routes(), *people.routes()):
        handler = _with_token(tokens, scopes_of(route.method, route.path), route.handler)
        app.router.add_route(route.method, route.path, handler)
    app.router.add_get("/media/{attachment}/{rendition}", _with_problem_responses(media.get, 500))
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz(probes))
    app.router.add_get("/metrics", _metrics(refresh_gauges))
    app.router.add_get("/openapi.json", _openapi(orjson.dumps(document(public_url))))
    app.add_subapp("/workspace/", workspace)
    for page in ("", "operations", "audit"):
        app.router.add_get(f"/{page}", _redirect(f"/workspace/{page}"))
    app.router.add_route("*", "/{path:.*}", _otherwise(deliveries))
    return app


class _Deliveries:
    """The handlers of webhooks, also of connectors that were added while the gateway runs."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self._names: tuple[str, ...] = ()
        self._handlers: Mapping[tuple[str, str], Handler] = {}

    def current(self) -> Mapping[tuple[str, str], Handler]:
        """Return the handlers by method and path."""
        names = tuple(self._webhooks.names())
        if names != self._names:
            self._names, self._handlers = names, _webhook_handlers(self._webhooks)
        return self._handlers


def _webhook_handlers(webhooks: Webhooks) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers of webhooks by method and path."""
    handlers: dict[tuple[str, str], Handler] = {}
    for name in webhooks.names():
        get = _with_problem_responses(partial(webhooks.get, name=name), 500)
        # After any unexpected error the platform must send the delivery again.
        post = _with_problem_responses(partial(webhooks.post, name=name), 503)
        for tail in ("", "/message", "/status"):
            path = f"/webhooks/{name}{tail}"
            handlers |= {(hdrs.METH_GET, path): get, (hdrs.METH_HEAD, path): get}
            handlers[hdrs.METH_POST, path] = post
    return handlers


def _otherwise(deliveries: _Deliveries) -> Handler:
    """Make the handler of all other paths: a webhook's path with needless slashes, or one that does not exist.

    The router cannot change any more, so it is also the handler of the webhooks of connectors that were added later.

    A slash too many in an address that an administrator entered must not lose deliveries. The URL that the platform
    signed stays as it is.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        path = _tidied(request.path)
        handlers = deliveries.current()
        handler = handlers.get((request.method, path))
        if handler is not None:
            return await handler(request)
        allowed = {method for method, known in handlers if known == path}
        return _not_allowed(request, allowed) if allowed else await _not_found(request)

    return answer


def _tidied(path: str) -> str:
    """The path without doubled slashes and without one at the end."""
    return "/" + "/".join(part for part in path.split("/") if part)


def _with_problem_responses(handler: Handler, unexpected: int) -> Handler:
    """Wrap a handler: a `Problem` becomes its response; any other error is logged and answered with `unexpected`.

    A body that breaks off or is not HTTP is the client's error, and is not logged: anybody can send one.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        with logged_as(request):
            try:
                return await handler(request)
            except Problem as problem:
                return problem.response()
            except web.HTTPException:
                raise
            except Exception as exc:  # noqa: BLE001 - any error must become a response
                if is_unreadable(request, exc):
                    detail = "the body is incomplete or is not valid HTTP/1.1"
                    return Problem(400, "Bad request", detail).response()
                log_failure(request, exc)
                detail = "an unexpected error occurred; see the log"
                return Problem(unexpected, "Server error", detail).response()

    return answer


def _with_token(tokens: ApiTokens, scopes: frozenset[Scope], handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.StreamResponse:
        tokens.check(request, scopes)
        return await handler(request)

    return _with_problem_responses(checked, 500)


async def _not_found(request: web.Request) -> web.Response:
    """Answer unknown paths and methods with problem details; the workspace answers its own.

    This is a catch-all route because a middleware would add a tenth to the time of every delivery.
    """
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        allowed |= methods
    allowed -= {hdrs.METH_ANY}
    if not allowed:
        return no_such_path(request.path).response()
    return _not_allowed(request, allowed)


def _not_allowed(request: web.Request, allowed: set[str]) -> web.Response:
    shown = repr(request.path[:200])
    allow = {"allow": ", ".join(sorted(allowed))}
    return Problem(
        405, "Method not allowed", f"{request.method} is not allowed for {shown}", allow
    ).response()


async def _healthz(request: web.Request) -> web.Response:
    del request
    return web.Response(text="ok\n")


def _readyz(probes: Mapping[str, Probe]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def ready(request: web.Request) -> web.Response:
        del request
        is_ready, report = await readiness(probes)
        return web.Response(
            status=200 if is_ready else 503,
            body=orjson.dumps(report),
            content_type="application/json",
        )

    return ready


def _metrics(refresh: Refresh) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def metrics(request: web.Request) -> web.Response:
        del request
        await refresh()
        return web.Response(body=generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    return metrics


def _openapi(description: bytes) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def openapi(request: web.Request) -> web.Response:
        del request
        return web.Response(body=description, content_type="application/json")

    return openapi


def _redirect(location: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def redirect(request: web.Request) -> web.Response:
        del request
        raise web.HTTPFound(location)

    return redirect
