"""The choice of a language on a page."""

from functools import partial

from aiohttp import web

from workspace.auth.preferences import save_language
from workspace.http.context import agent_of, workspace_of
from workspace.http.language import remember_language
from workspace.http.responses import read_json
from workspace.text.language import LANGUAGES


async def change_language(request: web.Request) -> web.Response:
    """Keep `{"language": …}` for the agent, on every machine, and for the sign-in page of this browser."""
    language = (await read_json(request)).get("language")
    if not isinstance(language, str) or language not in LANGUAGES:
        raise web.HTTPBadRequest
    save = partial(save_language, agent=agent_of(request), language=language)
    await workspace_of(request).database.write(save)
    response = web.Response(status=204)
    remember_language(request, response, language)
    return response
