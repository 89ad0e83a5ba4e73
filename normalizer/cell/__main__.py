"""The process the gateway starts: it warms the decoders up and forks a cell for each job."""

import sys

from .zygote import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]))
