"""A watched folder: files of posts that other programs drop are read, page by page, and put aside."""
