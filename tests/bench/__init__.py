"""What a call costs the web process, beside a bare relay that does the same translation. `./run bench`."""
