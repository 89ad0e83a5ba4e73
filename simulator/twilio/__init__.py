"""An emulated Twilio."""
