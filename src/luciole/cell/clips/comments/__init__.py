"""What people say about a clip, in threads of two levels."""
