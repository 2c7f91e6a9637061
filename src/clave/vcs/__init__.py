"""git: the only layer that knows it. Plumbing for writing, GitPython for reading history."""
