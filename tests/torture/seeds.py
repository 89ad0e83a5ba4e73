"""How much torture: TORTURE_SEEDS (numbers with commas between) and TORTURE_SECONDS, set by `make torture`."""

import os

SEEDS = tuple(int(seed) for seed in os.environ.get("TORTURE_SEEDS", "1").split(","))
#: Of random kills, for each seed. The short form kills once at each fault point and that is all.
SECONDS = float(os.environ.get("TORTURE_SECONDS", "0"))
LONG = SECONDS > 0
