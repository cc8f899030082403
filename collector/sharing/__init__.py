"""What the appliances of one company share, and what the collector wants of them (docs/sharing.md)."""
