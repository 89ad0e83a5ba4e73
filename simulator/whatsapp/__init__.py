"""An emulated WhatsApp Cloud API."""
