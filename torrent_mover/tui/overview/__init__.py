"""The overview of all duties: is all well, what happens, what needs somebody; and from there to the screens of each."""
