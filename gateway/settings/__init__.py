"""connectors.yaml: read it, check it, and report every mistake at once with its line and the nearest key."""

from .addresses import Address, UnixSocket
from .advice import advice
from .loading import load
from .mistakes import ConfigError, Mistake
from .model import CoreSettings, FetchSettings, GatewaySettings, MediaSettings, Settings
from .schema import schema

__all__ = [
    "Address",
    "ConfigError",
    "CoreSettings",
    "FetchSettings",
    "GatewaySettings",
    "MediaSettings",
    "Mistake",
    "Settings",
    "UnixSocket",
    "advice",
    "load",
    "schema",
]
