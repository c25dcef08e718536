"""The full screen that sorts torrents into categories: an application of its own beside the dashboard's."""
