"""Storage for renditions."""
