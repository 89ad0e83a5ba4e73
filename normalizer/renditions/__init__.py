"""Renditions: runs outside the sandbox, checks the sandbox's answers, and encodes files from pixels."""
