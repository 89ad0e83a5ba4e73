"""Background work that keeps the gateway healthy: retention, compaction, reconciliation, health checks."""
