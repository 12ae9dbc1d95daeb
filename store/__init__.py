"""SQLModel tables and queries by noun, and the migrations. PostgreSQL only."""
