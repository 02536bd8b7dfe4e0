"""Mails, PDF documents and sentences for people, and the design that every page and mail shares."""
