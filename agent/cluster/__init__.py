"""The agent in a cluster: policies and what they scale, as the API server tells of them, and what is written back.

kopf watches, in a thread and a loop of its own, and hands documents over; nothing of it decides. Objects of others are
only looked at: no annotation, no finalizer. What is written is the status of our own policies, and Events about them.
"""
