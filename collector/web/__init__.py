"""The collector over HTTP (docs/delivery.md). No copy remembers anything that another one would need."""
