"""Mains and battery: what watches them, what is shed to save them, and the policy that decides."""
