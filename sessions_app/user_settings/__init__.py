"""What users choose for themselves: the terms, the rows, how a session is set up by them, and their page."""
