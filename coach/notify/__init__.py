"""Ways out of the house: mail, Web Push, webhook. They know what to send and where to; not whom for, and no table."""
