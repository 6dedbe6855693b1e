"""One HTML page from the results of a campaign; it opens without any network and holds everything it shows."""
