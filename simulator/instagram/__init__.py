"""The emulated Instagram."""
