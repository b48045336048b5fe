package tenancy

import "regexp"

// Identity is the one phone number or chat handle that a team shows to its contacts. The
// zero Identity is a team that nobody can write to from outside.
type Identity struct {
	Channel Channel
	Value   string
}

// Channel is the kind of an [Identity], and the channel that its conversations run on.
type Channel string

// The channels.
const (
	PhoneChannel Channel = "phone"
	ChatChannel  Channel = "chat"
)

// Phone is an identity in E.164 form, such as +15550100.
func Phone(number string) Identity { return Identity{Channel: PhoneChannel, Value: number} }

// Chat is an identity on the host's own chat, such as acme-jobs: 2 to 64 lower-case letters,
// digits, dots, hyphens and underscores, starting with a letter or digit.
func Chat(handle string) Identity { return Identity{Channel: ChatChannel, Value: handle} }

// IsZero reports whether there is no identity.
func (i Identity) IsZero() bool { return i == Identity{} }

func (i Identity) String() string { return i.Value }

// E.164 allows 15 digits, the first of them not 0; the shortest numbers in use have 7.
var identityForms = map[Channel]struct {
	pattern *regexp.Regexp
	allowed string
}{
	PhoneChannel: {regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`), "must be a phone number in E.164 form, such as +15550100"},
	ChatChannel:  {regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,63}$`), "must be a handle of 2 to 64 lower-case letters, digits, dots, hyphens and underscores"},
}

// Validate answers an [*InvalidError] that says what the channel allows.
func (i Identity) Validate() error {
	form, known := identityForms[i.Channel]
	if !known {
		return &InvalidError{Field: "identity", Reason: "must be on the phone or the chat channel"}
	}
	if !form.pattern.MatchString(i.Value) {
		return &InvalidError{Field: "identity", Reason: form.allowed}
	}
	return nil
}
