"""A zygote that treats the loaded libheif as an unknown version. Tests start it instead of `normalizer.decoders`."""

import sys

from normalizer.decoders import registry
from normalizer.decoders.photo import heif_tiles
from normalizer.sandbox.zygote import serve

if __name__ == "__main__":
    heif_tiles._KNOWN_VERSIONS = range(0)
    serve(int(sys.argv[1]), registry.load)
