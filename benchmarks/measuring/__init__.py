"""What is measured on real machines, and what the measurements say of an instance."""
