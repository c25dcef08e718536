"""The application around the views: keys, themes, header, log."""
