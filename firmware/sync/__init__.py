"""Delivery: how records leave the appliance, and how it never loses count of what has arrived."""
