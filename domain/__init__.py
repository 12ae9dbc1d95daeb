"""What may happen, given a time: frozen values, pure rules, messages and errors.

Only the standard library is imported here, and nothing here reads a clock, a socket or a file.
"""
