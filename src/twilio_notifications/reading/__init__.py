"""What people read of a journal on the command line: as lines of a terminal, as JSON, as CSV."""
