"""An RPC that gets no answer: the gRPC code, and the sentence that KEDA puts into its events."""

from __future__ import annotations

import grpc

LONGEST_SENTENCE = 600  # characters; the sentence travels in an HTTP/2 header, percent-encoded, and peers cut at 8 KiB


class RpcRefused(Exception):
    """Ends an RPC with an error status.

    Attributes:
        code: what KEDA's log shows; KEDA itself treats all codes alike, but for UNIMPLEMENTED on a stream.
        sentence: names the object, what is wrong and the mend.
    """

    def __init__(self, code: grpc.StatusCode, sentence: str) -> None:
        self.code = code
        self.sentence = sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[: LONGEST_SENTENCE - 1]}…"
        super().__init__(self.sentence)
