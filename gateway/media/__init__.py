"""Attachments: fetched from the platform, sanitized, stored, and served by signed links."""
