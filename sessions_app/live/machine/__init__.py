"""Pure decisions: facts in, wishes out. No clock, no await, no randomness of its own."""
