"""Incidents and whom they concern: who is told of what, once, and of its end."""
