"""Cells: single-use processes in which decoders touch untrusted bytes, and nothing else."""
