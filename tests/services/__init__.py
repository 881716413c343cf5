"""Programs that tests start beside themselves: the emulator, the web server, Valkey and PostgreSQL."""
