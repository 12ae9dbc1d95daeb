"""Idempotent side effects for workflows: SQL transactions, or one outside call each."""
