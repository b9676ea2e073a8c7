"""What expressions stand for, and what evaluating them does to sessions."""
