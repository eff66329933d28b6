"""What each command does: one module each, whose entry takes parsed arguments and returns an exit code."""
