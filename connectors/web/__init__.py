"""The web channel: Airlock's own chat on websites and in apps."""

from .connector import Web

__all__ = ["Web"]
