"""The web channel's own SQLite file."""
