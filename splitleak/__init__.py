"""Split datasets so that no two similar rows are apart, and find what makes a score lie."""
