"""What the processes of one Backstop tell each other, so that each may answer whatever request it gets.

Over `coach.jetstream.line`, which is not durable: what is lost there is told again within seconds. Each process applies
what it hears as if it had come to itself.
"""
