"""NATS: the line between processes (`line`), and JetStream's streams as log and as work queues (`streams`).

Nothing outside of this package knows the library.
"""
