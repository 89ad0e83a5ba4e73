"""Emulated Facebook Messenger."""
