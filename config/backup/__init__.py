"""All that is kept, in one file, and back: for SQLite and PostgreSQL, and from one to the other."""
