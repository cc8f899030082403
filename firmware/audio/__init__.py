"""The recorded voice: the catalogue of what is said, the shelf that serves it, and the workshop that makes it.

Calls use `shelf` only, which needs neither numpy nor a synthesiser. `build` runs on a developer's machine.
"""
