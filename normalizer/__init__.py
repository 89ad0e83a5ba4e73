"""The common events, the definition of safe media, and the sanitizer that makes them. Knows no platform."""
