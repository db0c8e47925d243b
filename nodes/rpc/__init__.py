"""The gRPC face of a node: servicers, the client to a peer, errors <-> status.

Knows protobuf services, status codes, roles by RPC, limits of a call. Contains no rule of a case: a
servicer checks who may call, hands domain values to what `ports` describes, and tells the answer.

- `server` starts and drains it all; `roles` says who may call what; `faults` and `codes` are the one table
  of errors.
- `cases`, `lines`, `watching`, `transfers`: CaseService; `catalogue`, `operator`, `peers`: the other
  services.
- `peer`: the client to another region's node.
"""
