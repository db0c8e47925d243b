"""The commands, one module each: flags in, a request to a node, a screen or JSON out.

Knows what each command asks. Must not know how answers are drawn (`screens`) nor how failures end (`front`).
"""
