"""P10: how fast an outbox is delivered, beside a loop that does no more than send and insert."""
