-- Comparison ignores trailing blanks, so '' is told by its length.
update load_events set location = null where octet_length(location) = 0
