"""What the `gatepass` command consists of; `cli.py` puts it together."""
