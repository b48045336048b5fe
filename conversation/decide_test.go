package conversation_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// Spec 3: about one conversation, too, Check, Can, Explain, Capabilities and Scope give the same
// answer, for everybody, while it is open and when it is closed.
func TestSpec3_DecisionsAboutAConversationAgree(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		ctx := t.Context()
		w := ushertest.NewWorldOn(t, open(t)).Account("acme").
			Team("Sales", ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Restricted("rex"), ushertest.Member("sue").Suspended())
		c := w.Receive("Sales", "visitor", "Hi")
		everybody := []tenancy.Actor{
			w.Actor("alice", "Sales"), w.Actor("bob", "Sales"), w.Actor("rex", "Sales"), w.Actor("sue", "Sales"),
			w.Guest(w.Actor("bob", "Sales"), c.ID, "gina"), w.Actor("stranger", "Sales"), {},
		}
		for _, status := range []conversation.Status{conversation.Open, conversation.Closed} {
			for n, actor := range everybody {
				all, unseen := w.Conversations.Capabilities(ctx, actor, c.ID)
				scope, err := w.Conversations.Scope(ctx, actor)
				if err == nil {
					grant, _ := w.Store.Grant(ctx, c.ID, actor.User)
					assert.Equal(t, unseen == nil, scope.Admits(c, grant), "actor %d", n)
				}
				for _, perm := range w.Policy.Permissions() {
					check := w.Conversations.Check(ctx, actor, c.ID, perm)
					can, err := w.Conversations.Can(ctx, actor, c.ID, perm)
					require.NoError(t, err)
					assert.Equal(t, check == nil, can)
					why, err := w.Conversations.Explain(ctx, actor, c.ID, perm)
					require.NoError(t, err)
					assert.Equal(t, check, why.Err)
					if unseen != nil {
						assert.Equal(t, unseen, check, "actor %d, %s", n, w.Policy.Name(perm))
						assert.Empty(t, why.Status)
						continue
					}
					assert.Equal(t, status, why.Status)
					if listed := all.Of(perm); !errors.Is(listed, tenancy.ErrNotFound) {
						assert.Equal(t, check, listed, "actor %d, %s", n, w.Policy.Name(perm))
					}
				}
			}
			if status == conversation.Open {
				_, err := w.Conversations.Close(ctx, everybody[0], c.ID, "")
				require.NoError(t, err)
			}
		}
	})
}

func TestExplainAGuest(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").Team("Sales", ushertest.Member("bob"))
	c := w.Receive("Sales", "visitor", "Hi")
	gina := w.Guest(w.Actor("bob", "Sales"), c.ID, "gina")
	why, err := w.Conversations.Explain(t.Context(), gina, c.ID, rbac.SendMessage)
	require.NoError(t, err)
	assert.Equal(t, `allowed
rule: restricted has "message: send" by grant: p, restricted, message, send, grant, allow
membership: restricted, active
user: active
team: active
account: active
conversation: open, by a grant
`, why.String())
	told, err := json.Marshal(why)
	require.NoError(t, err)
	var facts tenancy.Told
	require.NoError(t, json.Unmarshal(told, &facts))
	assert.Equal(t, why.Told(), facts)
	assert.Contains(t, facts.Facts, "conversation: open, by a grant")
	why, err = w.Conversations.Explain(t.Context(), w.Actor("stranger", "Sales"), c.ID, rbac.SendMessage)
	require.NoError(t, err)
	assert.Equal(t, "refused: not found\nmembership: none\nconversation: not seen\n", why.String())
}
