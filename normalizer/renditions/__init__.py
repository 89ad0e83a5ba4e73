"""Renditions: everything here runs outside the sandbox, checks its answers, and encodes files from pixels."""
