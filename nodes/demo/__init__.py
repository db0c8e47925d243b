"""The rehearsal: four nodes, and the citizens, clerks and officers of the shipped input, who use the gRPC
face like anybody.

Knows the input and what people do. Must not know the inside of a node: what it plays and what it checks
goes over gRPC, so the same input can be played against nodes anywhere.
"""
