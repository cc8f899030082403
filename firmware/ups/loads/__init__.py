"""Loads that can be done without for a while: how each is shed, restored and checked."""
