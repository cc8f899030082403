"""What the appliances of one company share, and what the collector wants of them: the down-channel (docs/sharing.md)."""
