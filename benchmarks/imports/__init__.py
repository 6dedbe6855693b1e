"""What others have made, read as parts of an instance."""
