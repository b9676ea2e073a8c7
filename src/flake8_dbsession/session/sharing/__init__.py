"""Sessions that go to a thread, a task or a job."""
