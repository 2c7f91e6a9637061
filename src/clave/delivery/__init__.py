"""Handing secrets to programs: what they ask for, what is looked up for them, and how they get it."""
