"""What a workspace listens to, how it decides, who is in it, and what they did."""
