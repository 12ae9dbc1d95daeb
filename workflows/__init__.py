"""Waiting and sequencing. What may happen is decided in SQL; here is when it happens."""
