"""Reads and validates connectors.yaml; reports every mistake at once, with its line and the nearest known key."""

from .addresses import Address, UnixSocket
from .changes import Changes, compare
from .databases import DatabaseUrl
from .environment_file import read_environment
from .errors import ConfigError, Mistake
from .exposed_files import exposed_files
from .live_connectors import LiveConnectors, live
from .loading import data_folder, load
from .log_section import LogSettings
from .model import (
    CoreSettings,
    FetchSettings,
    GatewaySettings,
    MediaSettings,
    Settings,
    TraceSettings,
)
from .schema import schema
from .warnings import advice, is_loopback

__all__ = [
    "Address",
    "Changes",
    "ConfigError",
    "CoreSettings",
    "DatabaseUrl",
    "FetchSettings",
    "GatewaySettings",
    "LiveConnectors",
    "LogSettings",
    "MediaSettings",
    "Mistake",
    "Settings",
    "TraceSettings",
    "UnixSocket",
    "advice",
    "compare",
    "data_folder",
    "exposed_files",
    "is_loopback",
    "live",
    "load",
    "read_environment",
    "schema",
]
