"""Servers that `make demo` and the tests run as children of their own process.

For evaluation and tests on one machine, on the loopback interface only. An installation that
matters uses PostgreSQL and Temporal servers by address.
"""
