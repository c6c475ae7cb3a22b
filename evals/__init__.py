"""Questions, metrics and the commands that measure."""
