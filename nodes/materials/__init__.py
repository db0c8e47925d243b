"""Materials by their content: files named by the SHA-256 of their bytes.

Knows bytes, digests, sizes, media types and a directory. Must not know cases' rules or who may see a file.
A name is always a digest, so no name from outside ever becomes a path.

- `store`: put, read, resume; `book`: whose bytes are here (rows of the database).
"""
