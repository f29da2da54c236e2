"""How often each way of sorting articles is right about those whose category it was not told."""
