"""Instagram."""

from .connector import Instagram

__all__ = ["Instagram"]
