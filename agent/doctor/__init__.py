"""What `foretide doctor` looks at before, or while, an agent runs. It changes nothing, but for a probe file it removes.

Each check returns findings and never raises for what it finds wrong. How they are printed is the command's business.
"""
