"""Ingress, journal, pipeline, fetching, delivery, API, links, settings and the command line."""
