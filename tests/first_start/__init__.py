"""The README's first command on a machine that has Python and nothing else."""
