"""Questions about recordings, answered beside the line by a model that takes files."""
