"""The adapter that answers KEDA: `externalscaler.ExternalScaler` over gRPC, from the board and nothing else.

No source, no forecast and no cluster is read here; an answer is looked up, never computed.
"""
