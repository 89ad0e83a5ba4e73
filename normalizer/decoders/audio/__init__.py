"""Sound: one sandbox decodes a sender's file to numbers, and another encodes these numbers."""
