"""`/attachments/{id}/{rendition}`: a redirect to a fresh link, for agents who are assigned."""

from functools import partial

from aiohttp import web

from workspace.assignment import conversation_of
from workspace.keys import agent_of, workspace_of
from workspace.upstream import UpstreamTrouble

RENDITIONS = frozenset({"thumbnail", "preview", "poster", "video"})


async def show_rendition(request: web.Request) -> web.Response:
    address = await _address(request, request.match_info["rendition"])
    return web.Response(status=302, headers={"Location": address, "Cache-Control": "no-store"})


async def _address(request: web.Request, rendition: str) -> str:
    workspace, agent = workspace_of(request), agent_of(request)
    attachment = request.match_info["attachment"]
    found = await workspace.database.read(
        partial(conversation_of, attachment=attachment, agent=agent)
    )
    if found is None or rendition not in RENDITIONS:
        raise web.HTTPNotFound
    _, assigned = found
    if not assigned:
        raise web.HTTPForbidden
    try:
        address = await workspace.links.link(attachment, rendition, agent)
    except UpstreamTrouble as trouble:
        raise _REFUSALS.get(trouble.status, web.HTTPBadGateway) from trouble
    if address is None:
        raise web.HTTPNotFound
    return address


_REFUSALS: dict[int, type[web.HTTPError]] = {
    403: web.HTTPForbidden,
    404: web.HTTPNotFound,
    410: web.HTTPGone,
    503: web.HTTPServiceUnavailable,
}
