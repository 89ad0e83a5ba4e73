"""The built-in workspace, mounted below the gateway's own addresses."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from workspace import (
    WorkspaceSettings,
    create_app,
    describe_conversations,
    erase_conversations,
)

from .installation import Installation


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """The built-in workspace, or its pages for operators, and what the gateway asks it about persons."""

    application: web.Application

    async def forget(self, conversations: Sequence[str], texts: Collection[bytes]) -> None:
        await erase_conversations(self.application, conversations, texts)

    async def describe(self, conversations: Sequence[str]) -> list[dict[str, Any]]:
        return await describe_conversations(self.application, conversations)


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
            opens_photo=installation.demo,
            pages_only=settings.core.url is not None,
            trusted_proxies=settings.gateway.trusted_proxies,
            text_retention=settings.gateway.text_retention,
            reading=settings.workspace.reading,
            language=settings.workspace.language,
        )
    )
