package conversation

// ParseWhen is what the tests of snoozes ask directly.
var ParseWhen = parseWhen
