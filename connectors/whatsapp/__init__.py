"""WhatsApp Cloud API."""

from .connector import WhatsApp

__all__ = ["WhatsApp"]
