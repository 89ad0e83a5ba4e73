"""Length of the torture tests: TORTURE_SEEDS (comma-separated) and TORTURE_SECONDS, set by `make torture`."""

import os

SEEDS = tuple(int(seed) for seed in os.environ.get("TORTURE_SEEDS", "1").split(","))
#: Seconds of random kills for each seed. The short form only kills once at each fault point.
SECONDS = float(os.environ.get("TORTURE_SECONDS", "0"))
LONG = SECONDS > 0
