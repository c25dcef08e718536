"""Programs in which people ask for media, over their web APIs."""
