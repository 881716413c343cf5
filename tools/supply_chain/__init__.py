"""What others made and Holdline comes with or installs: whether it is what they published, its licences, its faults."""
