"""Composition: which parts a service is made of, started in order and stopped in reverse."""
