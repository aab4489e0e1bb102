"""A model as a text for other checkers; `terms` holds what all of them render."""
