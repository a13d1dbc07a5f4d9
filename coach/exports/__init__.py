"""What an export is made of: an archive, and in it tables, sheets, signals, sessions. Values in, bytes out."""
