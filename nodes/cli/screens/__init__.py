"""The screens: an answer of a node as text for people, in either language, at any width from 80 on.

Knows messages and words. Must not know flags, nodes or files.
"""
