"""The process that the gateway starts: warms up the decoders and forks a sandbox for each job."""

import os
import sys

from normalizer.sandbox.zygote import serve

from .registry import load

if __name__ == "__main__":
    serve(int(sys.argv[1]), load)
    # Cleaning up the libraries takes too long, and the kernel does it as well.
    os._exit(0)
