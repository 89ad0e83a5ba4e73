"""Facebook Messenger."""

from .connector import Messenger

__all__ = ["Messenger"]
