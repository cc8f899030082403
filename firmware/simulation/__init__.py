"""The bench: exchange, modems and callers that behave as the references say, on real ptys or in simulated time."""
