"""Control flow: the graph of one function and a solver. Nothing here knows what a session is."""
