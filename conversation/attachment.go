package conversation

import (
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strings"

	"github.com/usher-go/usher/tenancy"
)

// Attachment is a file that came along with a message. usher keeps what is known of it and never the
// file itself, which stays where the host has put it.
type Attachment struct {
	// Name is what the file is called, for people to read. It is no path: do not write to it.
	Name string
	// MediaType is such as "image/png", without parameters.
	MediaType string
	// Size is in bytes.
	Size int64
	// Ref is where the file is: a URL that begins with https://, or a key of the host's own, which
	// has no colon in it. So no ref is a script or a file of the reader's machine.
	Ref string
}

// Limits of attachments.
const (
	MaxAttachments = 10
	MaxMediaType   = 127     // bytes
	MaxRef         = 2 << 10 // bytes
)

// visible is printable ASCII without spaces.
var visible = regexp.MustCompile(`^[\x21-\x7e]+$`)

// checked answers the attachments with their names and types in normal form; nil where there are
// none.
func checked(attachments []Attachment) ([]Attachment, error) {
	if len(attachments) > MaxAttachments {
		return nil, &tenancy.InvalidError{Field: "attachments", Reason: fmt.Sprintf("must be at most %d", MaxAttachments)}
	}
	var all []Attachment
	for _, a := range attachments {
		a, err := a.checked()
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (a Attachment) checked() (Attachment, error) {
	var err error
	if a.Name, err = tenancy.Name("attachment name", a.Name); err != nil {
		return a, err
	}
	if a.MediaType, err = mediaType(a.MediaType); err != nil {
		return a, err
	}
	if a.Size < 0 {
		return a, &tenancy.InvalidError{Field: "attachment size", Reason: "must not be negative"}
	}
	return a, validRef(a.Ref)
}

func mediaType(text string) (string, error) {
	invalid := &tenancy.InvalidError{Field: "media type", Reason: fmt.Sprintf("must be a type and a subtype without parameters, such as image/png, in at most %d bytes", MaxMediaType)}
	if len(text) > MaxMediaType {
		return "", invalid
	}
	parsed, params, err := mime.ParseMediaType(text)
	if err != nil || len(params) > 0 || !strings.Contains(parsed, "/") {
		return "", invalid
	}
	return parsed, nil
}

func validRef(ref string) error {
	invalid := &tenancy.InvalidError{Field: "attachment ref", Reason: fmt.Sprintf("must be a URL that begins with https://, or a key without a colon, in 1 to %d bytes of printable ASCII without spaces", MaxRef)}
	if len(ref) > MaxRef || !visible.MatchString(ref) {
		return invalid
	}
	if !strings.Contains(ref, ":") {
		return nil
	}
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return invalid
	}
	return nil
}
