"""The cut matrix: the store's work is cut short at every write and sync, and what is left is judged. See `__main__`."""
