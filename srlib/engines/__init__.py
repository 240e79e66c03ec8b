"""The same networks run by other software: exported to files, or compiled."""
