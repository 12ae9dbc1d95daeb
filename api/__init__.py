"""HTTP: parse, authenticate, call a command or a query, render."""
