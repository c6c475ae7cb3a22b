"""What people use: the command line and the chat page."""
