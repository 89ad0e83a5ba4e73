"""The sandbox: single-use isolated processes, the only place where decoders touch untrusted bytes."""
