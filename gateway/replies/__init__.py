"""Agents' texts: accepted from the core, split, and sent to the platforms."""
