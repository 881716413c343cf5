"""What other programs of users may do in their name, by the Model Context Protocol: `docs/mcp.md`.

`door` and `stdio` are the two ways in, `calls` runs what is asked for, `history_tools` and `audio_tools` are what can
be asked for. The SDK is not installed everywhere and takes a second to load: `server`, `hosting` and `stdio` alone know
it.
"""
