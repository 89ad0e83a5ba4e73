"""The web channel's server, against a gateway that the tests control."""
