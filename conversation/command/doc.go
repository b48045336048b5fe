// Package command reads what an agent types into a conversation and tells text for the contact
// from commands to usher. It is pure: it knows no conversation, runs nothing and imports
// nothing else of usher.
//
// A [Set] is made of data, one [Spec] for each command. [Set.Parse] takes a whole message and
// returns a [Text], to be sent, or a [Command], to be run, or an [*Error]; never text because a
// command could not be understood.
//
// # What is a command
//
// A message is a command if the first thing to be seen in it is a caret. White space, line
// breaks, control characters, invisible characters, stray combining marks and broken UTF-8 in
// front of the caret are skipped, and characters that look like a caret (such as the fullwidth
// ＾ and the modifier letter ˆ) count as one: what looks like a command to the person who typed
// it is never sent. [IsCommand] is this rule alone.
//
// The same caret twice in a row begins a text instead: the first is removed and the rest is sent
// as it is, so that "^^ up there" sends "^ up there". [Escape] writes text in this way.
//
// # How a command is written
//
//	command  = "^" name { space argument } [ space rest ]
//	argument = [ name ":" ] ( word | '"' { character } '"' )
//
// A command is one line of at most [MaxLine] bytes; white space and line breaks after it are
// ignored, anything else on a second line is an error. Names are ASCII letters, digits and
// hyphens, begin with a letter, and are the same in capitals. The command's name follows the
// caret at once.
//
// A word goes to the next white space and holds no double quote. What has white space in it, or
// a double quote, or begins like "name:", is written in quotes:
//
//   - A value that opens with the straight " closes with it. A value that opens with “, ” or „,
//     as phones type, closes with “ or ”, since phones mix those up. The quotes of the other
//     family are plain characters.
//   - In both, a backslash stands before a quote or a backslash that belongs to the value: \"
//     and \\. Before any other character it is an error.
//   - A quoted value begins at the beginning of the argument or right after "name:", and white
//     space or the end of the line follows it. Single quotes mean nothing.
//
// [Quote] writes a value in this way. A value has something to see in it and no control
// characters. Positional arguments are told by their place, named ones are "name:value" in any
// order and anywhere between them, each at most once. Text to the end of the line ([Rest]) is
// taken as it stands, with quotes, colons and backslashes.
package command
