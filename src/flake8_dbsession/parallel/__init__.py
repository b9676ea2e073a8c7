"""The same work in several processes, here or on a cluster."""
