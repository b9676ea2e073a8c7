"""Which files a run is about, and what the files beside the code say."""
