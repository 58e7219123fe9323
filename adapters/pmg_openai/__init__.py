"""Language models behind an OpenAI-compatible HTTP server, for keywords and summaries."""
