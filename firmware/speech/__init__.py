"""Ears for speech: recognisers in a process of their own, where a crash costs an answer and not a call."""
