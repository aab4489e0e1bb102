"""Engines: what explores a model.  `plain` defines the meaning; others are tested equal to it."""
