"""A voice modem as a program: one reading of modem-reference.md, made apart from the driver's on purpose."""
