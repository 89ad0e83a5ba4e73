"""The language of a request: the choice of agent, browser or operator, or what the browser wants."""

from aiohttp import web

from workspace.text.language import DEFAULT, LANGUAGES, accepted_language, use_language

from .context import workspace_of

#: What was chosen at sign-in, before it is known who the agent is.
_COOKIE = "airlock_language"
_A_YEAR = 365 * 24 * 3600


def choose_language(request: web.Request) -> None:
    """Speak the language of this browser. An agent's own choice follows once the session is known."""
    chosen = request.cookies.get(_COOKIE, "")
    wanted = chosen if chosen in LANGUAGES else workspace_of(request).settings.language
    if wanted not in LANGUAGES:
        wanted = (
            accepted_language(",".join(request.headers.getall("Accept-Language", ()))) or DEFAULT
        )
    use_language(wanted)


def remember_language(request: web.Request, response: web.StreamResponse, language: str) -> None:
    """Keep a choice in this browser."""
    response.set_cookie(
        _COOKIE,
        language,
        path=str(request.app.router["page"].url_for()),
        max_age=_A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=workspace_of(request).settings.secure,
    )
