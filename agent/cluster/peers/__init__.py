"""Agents among themselves: the leader tells its followers what it keeps and answers, and they are its warm copies.

The leader's side is a guest of the gRPC server that KEDA asks, in that server's thread; a follower listens in the
agent's own loop. Who leads is the Lease's to say (`agent.cluster.lease`), and nothing here decides.
"""
