"""What keeps a running connector in order: purging, the supervisor's watchdog, and a changed configuration."""
