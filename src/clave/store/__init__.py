"""The use cases: the only code that combines openpgp and vcs."""
