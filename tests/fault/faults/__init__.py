"""The faults by name: what is done to a running federation, and undone, while traffic goes on.

Knows processes, files and servers. A fault that cannot be had on this machine says so, and is never passed
over.
"""
