"""Samples of voices: a user can listen to one before choosing it."""
