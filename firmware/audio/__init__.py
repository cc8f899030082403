"""The recorded voice: the catalogue of what is said, the shelf that serves it, and the workshop that makes it.

Calls use `shelf` only, which needs neither numpy nor a synthesiser: the shipped prompts, and before them an office's
own versions. `build` runs on a developer's machine; `importing` and `own_prompts` wherever an office keeps its voice.
"""
