"""A small conversation core with an agent's page: the embedded default, and a client of the public contract."""

from workspace.application import create_app
from workspace.settings import WorkspaceSettings

__all__ = ["WorkspaceSettings", "create_app"]
