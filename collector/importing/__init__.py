"""Folders that appliances without a network write: a USB stick, a network share. Nothing in them is trusted."""
