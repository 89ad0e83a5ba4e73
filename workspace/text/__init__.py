"""Wording and cleaning of text shown on the page."""
