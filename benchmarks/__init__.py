"""`make bench`: what Gatepass costs beside the bare floors of PostgreSQL and Temporal."""
