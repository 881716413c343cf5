"""A stand-in for the Gemini API on loopback: Live sessions over TLS, the REST calls around them, and faults on demand.

A program of its own (``python -m emulator``): it imports neither the application beside it nor Google's SDK.
"""
