"""The rules of the layout (docs/architecture.md) as tests."""
