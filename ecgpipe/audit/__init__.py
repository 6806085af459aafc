"""Are the labels right? What is odd in a project's labels."""
