"""Generated gRPC code; never edited."""
