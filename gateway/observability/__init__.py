"""Structured logs, redaction and metrics."""
