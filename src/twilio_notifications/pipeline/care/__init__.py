"""What keeps a running connector in order: purging, the supervisor's watchdog, a changed configuration."""
