package conversation

import (
	"context"
	"iter"
	"strings"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// TeamUpdate is one event of a team, as its watcher may know it.
type TeamUpdate struct {
	Update
	// Conversation is the one that it happened in; zero for what happened to the team, its people or a
	// contact. Seq counts along that one stream.
	Conversation tenancy.ConversationID
	// Position is what to resume after.
	Position Position
}

// TeamPosition is the position of now: [Service.WatchTeam] after it tells what is committed from now on,
// and nothing that was before. Take it, then list what is there, then watch: so nothing falls in between.
//
// The first one of a team, or the first after a long time in which nobody watched, puts in order what has
// happened meanwhile, and costs as much: a transaction for each 256 events.
//
// Errors: [tenancy.ErrNotFound] for who is not in the team, [rbac.ErrDenied] for guests and whoever may not
// read all conversations, [tenancy.ErrUnavailable]. It fails inside a transaction.
func (s *Service) TeamPosition(ctx context.Context, actor tenancy.Actor) (Position, error) {
	if _, err := s.seesAll(ctx, actor); err != nil {
		return "", err
	}
	mark, err := s.store.TeamMark(ctx, actor.Team.UUID())
	if err != nil {
		return "", err
	}
	return positionOf(actor.Team, mark), nil
}

// WatchTeam yields what happens in the actor's team: in all of its conversations and, where the actor may
// read of them, to its contacts and their applications, its people, its invitations and itself. It begins after a position: that
// of the last update to resume without a gap and without a repetition, that of [Service.TeamPosition] to
// begin now, or the zero Position for all that ever happened in the team. Then it waits, and ends, as
// [Service.Watch] does.
//
// Each event comes once, and those of one conversation come in their order. Between conversations there
// is no order of what happened at about the same time: sort by At for that. Nothing is lost to a change
// that took long to be committed. No event is ever deleted, so a position does not grow old.
//
// It tells what happened while it was the team's. A conversation that moves in begins with
// [ConversationMoved], and what was before is for Watch and [Service.Messages]. Of one that has moved
// away its deliveries are told, of which the last says where to ([DeliveryEnded], with team), and nothing
// else, also not what is still to be handed out from before. A guest watches their conversations one by
// one: what goes on beside these would be told by the positions.
//
// The right to read is looked at again before each update: who is removed, suspended or demoted gets the
// refusal and no more. An update costs two statements, or one if it is of no conversation, however many
// conversations there are; and one for each page of 64. What has happened since the last look is put in
// order first, by one of those who watch, in five statements; who writes waits for none of this.
//
// Errors: [*tenancy.InvalidError] for a position that is none, or another team's, and those of TeamPosition.
func (s *Service) WatchTeam(ctx context.Context, actor tenancy.Actor, after Position) iter.Seq2[TeamUpdate, error] {
	return func(yield func(TeamUpdate, error) bool) {
		err := s.watchTeam(ctx, actor, after, func(u TeamUpdate) bool { return yield(u, nil) })
		if err != nil {
			yield(TeamUpdate{}, err)
		}
	}
}

func (s *Service) watchTeam(ctx context.Context, actor tenancy.Actor, after Position, hand func(TeamUpdate) bool) error {
	mark, err := after.in(actor.Team)
	if err != nil {
		return err
	}
	if _, err := s.seesAll(ctx, actor); err != nil {
		return err
	}
	looked := s.env.Now()
	for page, err := range s.store.FollowTeam(ctx, actor.Team.UUID(), mark) {
		if err != nil {
			return err
		}
		now := s.env.Now()
		if len(page) == 0 && now.Sub(looked) < patience {
			continue
		}
		looked = now
		if len(page) == 0 {
			if _, err := s.seesAll(ctx, actor); err != nil {
				return err
			}
		}
		for _, e := range page {
			u, shown, err := s.teamUpdate(ctx, actor, e)
			if err != nil {
				return err
			}
			if shown && !hand(u) {
				return nil
			}
		}
	}
	return nil
}

// forTeam says which permission it takes to hear of what is no conversation's, by the object that the
// kind begins with. An object that is new is nobody's until somebody puts it here.
var forTeam = map[string]rbac.Permission{
	"team":        rbac.ReadTeam,
	"member":      rbac.ListMembers,
	"invitation":  rbac.InviteMember,
	"contact":     rbac.ReadContact,
	"application": rbac.ReadContact,
}

// onCards are the kinds that tell what stands on the card of a delivery, which the team that delivered keeps:
// so it hears that a conversation has moved away, and where to.
var onCards = map[string]bool{DeliveryRequested: true, DeliveryEnded: true}

// teamUpdate is an event as the actor may know it now, if they may know of it at all. They are looked at
// after the event was read, for the reason that handOut has.
func (s *Service) teamUpdate(ctx context.Context, actor tenancy.Actor, e outbox.TeamEvent) (u TeamUpdate, shown bool, err error) {
	standing, err := s.seesAll(ctx, actor)
	if err != nil {
		return TeamUpdate{}, false, err
	}
	v := view{standing: standing}
	if e.Stream.Kind == outbox.ConversationStream {
		u.Conversation = tenancy.ConversationID(e.Stream.ID)
		v, err = s.viewAs(ctx, standing, u.Conversation, reading, s.store.Conversation)
		switch {
		case notFound(err) && onCards[e.Kind] && standing.Allows(rbac.ListConversations):
			v = view{standing: standing}
		case notFound(err):
			return TeamUpdate{}, false, nil // it has moved away
		case err != nil:
			return TeamUpdate{}, false, err
		}
	} else if object, _, _ := strings.Cut(e.Kind, "."); !standing.Allows(forTeam[object]) {
		return TeamUpdate{}, false, nil
	}
	u.Position = positionOf(actor.Team, e.Mark())
	u.Update, shown, err = v.update(e.Event)
	return u, shown, err
}
