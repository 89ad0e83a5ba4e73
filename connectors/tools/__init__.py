"""Helpers that connectors call."""
