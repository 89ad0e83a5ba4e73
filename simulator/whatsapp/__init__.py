"""Emulated WhatsApp Cloud API."""
