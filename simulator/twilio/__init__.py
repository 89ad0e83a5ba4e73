"""Emulated Twilio SMS and MMS."""
