"""What `foretide doctor --cluster` looks at: a set-up in a cluster, as the API server shows it. Nothing is changed."""
