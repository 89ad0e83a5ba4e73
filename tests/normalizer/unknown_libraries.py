"""A zygote that treats libheif and libwebp as unknown versions. Tests start it instead of `normalizer.decoders`."""

import sys

from normalizer.decoders import registry
from normalizer.decoders.photo import heif_tiles, libwebp
from normalizer.sandbox.zygote import serve

if __name__ == "__main__":
    heif_tiles._KNOWN_VERSIONS = range(0)
    libwebp._ABI_VERSION = 0x0300
    serve(int(sys.argv[1]), registry.load)
