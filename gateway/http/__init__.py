"""The HTTP server's routes, except for the webhooks themselves."""
