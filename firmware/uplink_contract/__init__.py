"""What an appliance and its collector agree on (docs/delivery.md): pure, and the same code at both ends."""
