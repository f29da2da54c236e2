"""Lists of news that were shown, and which of them readers clicked: our click model beside models that read."""
