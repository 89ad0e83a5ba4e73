"""The built-in workspace, mounted below the gateway's own addresses."""

from collections.abc import Sequence

from aiohttp import web

from workspace import WorkspaceSettings, create_app

from .installation import Installation


def workspace_app(installation: Installation, keys: Sequence[str], token: str) -> web.Application:
    """Create the workspace. `keys` verify the events, and `token` is that of its calls."""
    settings = installation.settings
    return create_app(
        WorkspaceSettings(
            database=installation.data / "workspace.db",
            gateway_url=installation.url,
            api_token=token,
            secrets=tuple(keys),
            media_origin=installation.public_url,
            agent=installation.agent,
            demo=installation.demo,
            trusted_proxies=settings.gateway.trusted_proxies,
            text_retention=settings.gateway.text_retention,
            reading=settings.workspace.reading,
        )
    )
