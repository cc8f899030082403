"""Flows and calls: what a caller hears, keys and leaves, step by step."""
