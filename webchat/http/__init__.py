"""HTTP code shared by the handlers: access control, bodies, problems, security headers."""
