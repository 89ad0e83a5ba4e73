"""The journal's methods over the operations, written once for every engine."""
