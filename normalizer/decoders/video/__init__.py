"""Videos: a new container around the first picture and sound track, and the first frame as a photo."""
