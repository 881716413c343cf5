"""Ephemeral tokens: for clients of a user's own, which talk with the provider without Holdline's key."""
