"""Plans against uncertain data, plans anew where moving costs, and a day of drift."""
