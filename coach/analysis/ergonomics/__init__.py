"""Published ergonomic models: entered inputs in, the exposure of a job or drill out; nothing about one person."""
