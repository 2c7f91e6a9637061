"""Frozen values and the rules on them: no files, no processes, no libraries."""
