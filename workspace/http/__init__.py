"""HTTP plumbing shared by the handlers: access, responses, security headers."""
