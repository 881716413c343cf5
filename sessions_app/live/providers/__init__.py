"""The protocol of a provider, and Gemini behind it: the one folder that knows the SDK."""
