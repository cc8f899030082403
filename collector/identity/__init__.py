"""Who asks: the authority, claim codes, certificates, signatures, the deny list."""
