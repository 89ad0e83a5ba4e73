"""Emulated Apple Messages for Business."""
