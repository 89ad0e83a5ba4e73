"""The web channel: a messenger of our own, whose consumers chat on the brand's website or in its app."""

from .application import create_app
from .settings import Limits, Site, WebchatSettings

__all__ = ["Limits", "Site", "WebchatSettings", "create_app"]
