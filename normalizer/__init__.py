"""The common events, what safe media are, and how to make them. Knows no platform, no HTTP, no journal."""
