"""Alembic's home: the tables as they came to be, one revision after another, the same on both databases.

A revision's name begins with pre_ when it is run before the new release starts (the old one still works with
it), with post_ when it is run once no process of the old release is left."""
