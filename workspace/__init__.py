"""The built-in conversation core with pages for agents. It uses only the gateway's public HTTP API."""

from workspace.application import create_app
from workspace.handlers.people import describe_conversations, erase_conversations
from workspace.settings import WorkspaceSettings

__all__ = ["WorkspaceSettings", "create_app", "describe_conversations", "erase_conversations"]
