delete from load_events where octet_length(page) = 0 or ts < 0 or ts > 253402300799999 or userid < 0
