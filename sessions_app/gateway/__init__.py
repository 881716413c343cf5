"""The edge: sockets in, rows out."""
