"""The HTTP server: routes, the /v1 API, media and health checks. Webhooks are in `gateway.inbound`."""
