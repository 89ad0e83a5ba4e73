"""The workspace's client for the gateway's public HTTP API."""
