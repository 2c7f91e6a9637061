"""Who belongs to the team of a store, and which commits may be trusted: values in, verdicts out, nothing else."""
