"""A mailbox for the demo and the tests: real SMTP in, a page and JSON out.

It takes mail for every address, keeps each as one file, and plays three kinds of trouble by the
recipient's local part: `refused…` is refused at RCPT, `later…` is deferred once, and `bounced…` is
accepted and then reported undeliverable. Loopback only.
"""
