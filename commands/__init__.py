"""One verb, one transaction: lock, gate, rule, fact, audit and intents.

The API, the activities, the command line and the tests all decide through these; nothing else
writes.
"""
