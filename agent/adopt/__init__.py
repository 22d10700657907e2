"""From what scales a workload today to Foretide and back: documents in, a proposal out.

Nothing here reads a cluster or writes one; `agent.cli.adopt` reads, and who applies the proposal is a person.
"""
