"""The core of a live session: what is decided (pure modules) and what is done (drivers). No Django here."""
