"""Variants: small named edits of the standard's rows, each with its source and expected verdicts."""
