"""The tests: sections per state and per hazard, one shared class for all engines."""
