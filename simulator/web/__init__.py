"""The web channel, emulated: for faults, and for a gateway that runs without the chat's own server."""
