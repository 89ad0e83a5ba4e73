"""Helper functions for connectors."""
