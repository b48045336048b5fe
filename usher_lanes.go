package usher

import (
	"fmt"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
)

// WithSink adds someone who is handed what happens, at least once and in order within a stream:
// the events of the kinds given, or all of them if none is. The name is that of the sink's lane
// in the outbox (1 to 64 of a-z, 0-9 and hyphen), in which it has a progress of its own: a sink
// that fails or hangs neither delays the others nor makes their events come again.
//
// Whom an event is for is decided when it is written, so every process that writes must be given
// the same sinks under the same names, whether it runs the Relay or not. A sink that is added gets
// what happens from then on. One that is taken away leaves what was still for it in the store,
// where [outbox.Source.ForgetLane] deletes it.
func WithSink(name string, s outbox.Sink, kinds ...string) Option {
	return func(c *config) { c.sinks = append(c.sinks, namedSink{name, kinds, s}) }
}

// namedSink is a sink of the host's.
type namedSink struct {
	name  string
	kinds []string // none for all
	sink  outbox.Sink
}

// ownLanes are usher's. No sink of the host's may have their names, whether they are in use or not.
var ownLanes = []string{invite.MailLane, conversation.SenderLane}

// lanes say who has to be told of what.
func (c *config) lanes() (outbox.Lanes, error) {
	lanes := outbox.Lanes{}
	if c.mailer != nil {
		lanes[invite.MailLane] = invite.Mailed()
	}
	if c.sender != nil {
		lanes[conversation.SenderLane] = conversation.Sent()
	}
	for _, s := range c.sinks {
		if _, taken := lanes[s.name]; taken || slices.Contains(ownLanes, s.name) {
			return nil, fmt.Errorf("usher: another sink is named %q", s.name)
		}
		if s.sink == nil {
			return nil, fmt.Errorf("usher: the sink %q is nil", s.name)
		}
		lanes[s.name] = s.kinds
	}
	return lanes, lanes.Check()
}

// outlets are who takes what is in the lanes.
func (c *config) outlets(u *Usher) (outbox.Sinks, error) {
	sinks := outbox.Sinks{}
	if c.mailer != nil {
		base, err := invite.ParseLinkBase(c.base)
		if err != nil {
			return nil, err
		}
		sinks[invite.MailLane] = u.Invites.Mailing(c.mailer, base)
	}
	if c.sender != nil {
		sinks[conversation.SenderLane] = u.Conversations.Sending(c.sender)
	}
	for _, s := range c.sinks {
		sinks[s.name] = s.sink
	}
	return sinks, nil
}
