"""Records and recordings on the appliance's own disk: what was acknowledged is still there after a power cut."""
