"""Photos: from a sender's bytes to pixels (in a cell), and from pixels to our own files (outside)."""
