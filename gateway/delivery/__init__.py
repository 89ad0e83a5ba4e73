"""Event delivery to the conversation core, in order within each conversation."""
