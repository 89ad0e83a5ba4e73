"""HTTP handlers of the workspace."""
