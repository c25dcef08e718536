"""What is counted, how fast it goes, and who watches over it."""
