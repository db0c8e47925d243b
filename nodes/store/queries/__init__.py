"""Queries by subject: methods of a transaction, each written once for both databases.

Knows tables and rows. Must not know connections, dialects or the rules of a case.
"""
