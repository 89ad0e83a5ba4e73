"""WebM and Matroska, read by our own code: what a library sees is a copy with the pictures and the sound alone.

`reading`       a sender's file: its tracks, its length, and the copy
`segment`       the elements of a file in their order, bounded, found again after damage
`tracks`        the tracks that are used, and their description in the copy
`blocks`        frames in blocks, and whether their lengths agree
`clean_copy`    the copy
"""
