"""Twilio SMS and MMS, and WhatsApp and RCS over Twilio."""

from .connector import Twilio

__all__ = ["Twilio"]
