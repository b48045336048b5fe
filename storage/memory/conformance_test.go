package memory_test

import (
	"testing"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest"
	"github.com/usher-go/usher/storage/storagetest/everystore"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New() }, storagetest.Rounds(everystore.Rounds(50)))
}
