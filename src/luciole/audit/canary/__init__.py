"""Plants persons whose every field holds a mark, and looks for the marks wherever a cell writes."""
