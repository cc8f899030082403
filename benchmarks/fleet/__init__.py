"""A thousand simulated appliances against one collector: light clients with keys and signatures of their own."""
