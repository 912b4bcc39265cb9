"""The PRP document: read it, check it, ask it questions. Pure."""
