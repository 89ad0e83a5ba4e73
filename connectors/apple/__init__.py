"""Apple Messages for Business."""

from .connector import Apple

__all__ = ["Apple"]
