"""Photo decoders: from a sender's bytes to pixels."""
