"""The commands, one module each: its entry takes parsed arguments and returns an exit code."""
