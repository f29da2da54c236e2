"""How every stage and the service grow with the number of articles and events."""
