"""The real servers that tests run against, as fixtures."""
