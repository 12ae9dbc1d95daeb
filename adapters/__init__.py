"""The other sockets: SMTP, rendering, keyring, Temporal, settings, embedded servers."""
