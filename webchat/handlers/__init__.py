"""The calls of consumers and of the gateway."""
