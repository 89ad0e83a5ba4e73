"""Deliveries to the gateway: one lane for each consumer."""
