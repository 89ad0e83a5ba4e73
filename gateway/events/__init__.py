"""The CloudEvents that the conversation core receives, and their schemas."""
