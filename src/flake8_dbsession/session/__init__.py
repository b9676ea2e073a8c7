"""What code does to sessions and connections: their states, and how each statement changes them."""
