"""The collector: where the records and recordings of many appliances arrive, exactly once."""
