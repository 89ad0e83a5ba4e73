"""Decoders: everything in this package runs inside the sandbox, on untrusted bytes."""
