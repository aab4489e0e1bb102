"""What must hold, and how it is judged."""
