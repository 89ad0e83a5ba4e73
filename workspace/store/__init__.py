"""The workspace's SQLite database."""
