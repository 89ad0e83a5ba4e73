"""An emulated Apple Messages for Business."""
