"""Which file a dotted name is in, and what a file is called."""
