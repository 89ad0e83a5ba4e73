"""The parts of the conformance kit, one topic per file. See `connectors.conformance`."""
