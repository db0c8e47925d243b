"""How messages travel. Knows topic, key, bytes, headers; knows no case, no region, no table of a node.

The door is `broker.bus`; `broker.url.open_bus` chooses the backend.
"""
