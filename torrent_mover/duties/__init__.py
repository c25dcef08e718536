"""What the program does, one folder a duty. Duties do not see each other."""
