package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// table prints rows under headings.
func table(w *bufio.Writer, headings []string, rows [][]string) {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{headings}, rows...) {
		fmt.Fprintf(tabs, "   %s\n", strings.Join(row, "\t"))
	}
	_ = tabs.Flush() // w keeps the error
}

// cards are the deliveries of every team on the stage, oldest first. Each is read on behalf of
// someone who may: both teams of a delivery have its card.
func (s *stage) cards(ctx context.Context) ([]conversation.Delivery, error) {
	found := map[tenancy.DeliveryID]conversation.Delivery{}
	for _, who := range s.people {
		mine, err := s.teamsOf(ctx, who.id)
		if err != nil {
			return nil, err
		}
		for _, m := range mine {
			if err := s.cardsOf(ctx, tenancy.Actor{User: who.id, Team: m.Team.ID}, found); err != nil {
				return nil, err
			}
		}
	}
	cards := make([]conversation.Delivery, 0, len(found))
	for _, d := range found {
		cards = append(cards, d)
	}
	slices.SortFunc(cards, func(a, b conversation.Delivery) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return cards, nil
}

// cardsOf adds the cards of one team, and the numbers of the contacts in its conversations.
// Guests have no cards.
func (s *stage) cardsOf(ctx context.Context, actor tenancy.Actor, found map[tenancy.DeliveryID]conversation.Delivery) error {
	cards, err := all(func(p tenancy.Page) (tenancy.List[conversation.Delivery], error) {
		return s.usher.Conversations.Deliveries(ctx, actor, p)
	})
	if v, failure := judge(err); v != ok {
		return failure
	}
	for _, d := range cards {
		found[d.ID] = d
	}
	threads, err := all(func(p tenancy.Page) (tenancy.List[conversation.Conversation], error) {
		return s.usher.Conversations.List(ctx, actor, conversation.Filter{}, p)
	})
	for _, c := range threads {
		s.numbers[c.ID] = c.Address
	}
	return err
}

// outcomes prints a row for each delivery.
func (s *stage) outcomes(ctx context.Context, w *bufio.Writer) error {
	cards, err := s.cards(ctx)
	if err != nil {
		return err
	}
	fmt.Fprint(w, "\n== What was delivered\n\n")
	if len(cards) == 0 {
		fmt.Fprint(w, "   nothing\n")
		return nil
	}
	rows := make([][]string, len(cards))
	for i, d := range cards {
		rating := "-"
		if d.Outcome.Rating > 0 {
			rating = fmt.Sprint(d.Outcome.Rating)
		}
		rows[i] = []string{
			cmp.Or(s.numbers[d.Conversation], "-"), s.teamName(ctx, d.FromTeam), s.userName(ctx, d.By), s.recipientName(ctx, d.Recipient),
			string(d.Outcome.Status), rating, string(d.State), cmp.Or(d.Outcome.Summary, "-"),
		}
	}
	table(w, []string{"contact", "from", "by", "to", "status", "rating", "state", "summary"}, rows)
	return nil
}

func (s *stage) recipientName(ctx context.Context, r conversation.Recipient) string {
	switch {
	case !r.User.IsZero():
		return s.userName(ctx, r.User)
	case !r.Team.IsZero():
		return "team " + s.teamName(ctx, r.Team)
	}
	return r.Email.Display
}

// refused lists what usher did not allow, and why.
func refused(w *bufio.Writer, steps []told) {
	fmt.Fprint(w, "\n== What was refused, and why\n\n")
	none := true
	for _, t := range steps {
		if t.verdict != ok {
			fmt.Fprintf(w, "%3d  %s %s\n       %s\n", t.line, t.who, t.deed, t.reason)
			none = false
		}
	}
	if none {
		fmt.Fprint(w, "   nothing\n")
	}
}
