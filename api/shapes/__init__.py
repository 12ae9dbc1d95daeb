"""What the JSON API takes and gives; other programs rely on these names."""
