"""What names and annotations say of what they stand for."""
