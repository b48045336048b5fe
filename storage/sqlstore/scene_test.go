package sqlstore_test

import "testing"

func TestSceneComesBackAsItWasStored(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, _ := e.open(t)
		stored(t, store, "one")
		stored(t, store, "two").requireStored(t, store)
	})
}
