"""Growth of every stage and of the service with the number of articles and events."""
