"""The parts of the conformance kit: what a connector promises, one idea in each file. See `connectors.conformance`."""
