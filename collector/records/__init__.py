"""Records and recordings in PostgreSQL: taking them, looking at them, erasing them."""
