"""An emulated Messenger platform."""
