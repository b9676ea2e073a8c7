"""Who runs a function, how often, and what is done before and after each run."""
