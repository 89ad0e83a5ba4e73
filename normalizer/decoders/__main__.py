"""The process the gateway starts: it warms the decoders up and forks a cell for each job."""

import os
import sys

from normalizer.sandbox.zygote import serve

from .registry import load

if __name__ == "__main__":
    serve(int(sys.argv[1]), load)
    # Tidying up the libraries takes longer than anybody waits, and the kernel does it as well.
    os._exit(0)
