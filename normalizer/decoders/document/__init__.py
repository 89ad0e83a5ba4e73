"""Documents and cards, decoded in the sandbox to text, fields and pages."""
