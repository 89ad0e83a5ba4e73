"""Video decoders: a new container around the first video and audio track, and the first frame as a photo."""
