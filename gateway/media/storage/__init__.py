"""Storage of renditions."""
