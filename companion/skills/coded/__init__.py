"""The built-in skills whose moves are code. Their lines stand in YAML like everybody's."""
