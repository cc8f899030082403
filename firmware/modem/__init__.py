"""The V.253 modem driver: bytes in, typed events out, one telephone line per modem."""
