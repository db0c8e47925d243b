"""A small TCP proxy that behaves like a bad network. Knows bytes and nothing of what they mean."""
