"""What several rules ask before they report."""
