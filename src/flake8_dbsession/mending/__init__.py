"""Plans that several rules share: how a place can be mended, or why it cannot be."""
