"""The body of each journal transaction."""
