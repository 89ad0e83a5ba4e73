"""Office documents: their text, from the parts that hold any. Nothing else in them is read."""
