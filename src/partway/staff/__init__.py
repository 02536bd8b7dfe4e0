"""The door for members who log in; urls.py is its table of contents."""
