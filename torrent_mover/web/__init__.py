"""The API and the page of a process that runs all duties."""
