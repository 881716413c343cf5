"""Recordings: audio files that users upload to talk about them. Received, checked, kept, served and erased here."""
