"""A conversation in turns: one request for each, for models without a Live connection."""
