"""Pool settings: which engines a project makes, with which settings, and how many connections that may come to."""
