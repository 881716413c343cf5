"""What operators watch: `/metrics`, in the format that Prometheus reads. See `docs/operations.md`, "Watching it"."""
