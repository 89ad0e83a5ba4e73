"""Webhook deliveries: verified, appended to the journal, acknowledged, then parsed into events."""
