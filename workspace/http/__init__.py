"""HTTP code shared by the handlers: access control, responses, security headers."""
