"""The process the gateway starts: it warms the decoders up and forks a cell for each job."""

import os
import sys

from .zygote import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]))
    # Tidying up the libraries takes longer than anybody waits, and the kernel does it as well.
    os._exit(0)
